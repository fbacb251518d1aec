/** A request after the front end's check: camelCase, right types. Only what the emulator reads. */
export interface Part {
  text?: string
  inlineData?: { mimeType?: string; data?: string }
  fileData?: { mimeType?: string; fileUri?: string }
  functionCall?: { id?: string; name?: string; args?: Record<string, unknown> }
  functionResponse?: { id?: string; name?: string; response?: Record<string, unknown>; parts?: Part[] }
  executableCode?: { language?: string; code?: string }
  codeExecutionResult?: { outcome?: string; output?: string }
  toolCall?: unknown
  toolResponse?: unknown
  thought?: boolean
  thoughtSignature?: string
}

export interface Turn {
  role?: string
  parts?: Part[]
}

export interface Schema {
  type?: string
  format?: string
  enum?: string[]
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  anyOf?: Schema[]
}

export interface FunctionDeclaration {
  name?: string
  parameters?: Schema
  parametersJsonSchema?: unknown
}

interface Tool {
  functionDeclarations?: FunctionDeclaration[]
  googleSearch?: object
  googleSearchRetrieval?: object
  urlContext?: object
  codeExecution?: object
  [builtIn: string]: unknown
}

export interface GenerationConfig {
  temperature?: number
  topP?: number
  topK?: number
  maxOutputTokens?: number
  candidateCount?: number
  stopSequences?: string[]
  presencePenalty?: number
  frequencyPenalty?: number
  responseLogprobs?: boolean
  logprobs?: number
  responseMimeType?: string
  responseSchema?: Schema
  responseJsonSchema?: unknown
  responseModalities?: string[]
  thinkingConfig?: { thinkingBudget?: number; thinkingLevel?: string; includeThoughts?: boolean }
  imageConfig?: { aspectRatio?: string; imageSize?: string }
  speechConfig?: {
    voiceConfig?: { prebuiltVoiceConfig?: { voiceName?: string } }
    multiSpeakerVoiceConfig?: { speakerVoiceConfigs?: unknown[] }
  }
}

export interface GenerateRequest {
  contents?: Turn[]
  systemInstruction?: Turn
  tools?: Tool[]
  toolConfig?: {
    functionCallingConfig?: { mode?: string; allowedFunctionNames?: string[] }
    includeServerSideToolInvocations?: boolean
  }
  safetySettings?: { category?: string; threshold?: string }[]
  generationConfig?: GenerationConfig
  cachedContent?: string
  labels?: Record<string, string>
}

/** All declared functions, of every tools entry. */
export function declarationsOf(request: GenerateRequest): FunctionDeclaration[] {
  return (request.tools ?? []).flatMap((tool) => tool.functionDeclarations ?? [])
}

/** True if any tools entry switches this server tool on. */
export function hasTool(request: GenerateRequest, name: string): boolean {
  return (request.tools ?? []).some((tool) => tool[name] !== undefined)
}
