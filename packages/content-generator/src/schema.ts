import * as v from 'valibot'

/**
 * The public, documented schema of Google's `generateContent`, as far as Castor acts on it.
 * Every type is open: fields nobody here knows travel on untouched.
 * Source: `gemini-api.md` sections 3 to 6; ai.google.dev/api/generate-content.
 */

/** Bytes inside the message. `data` is standard base64 without line breaks. */
export interface InlineData {
  mimeType: string
  data: string
  [field: string]: unknown
}

/** Bytes elsewhere: a public https URL, a Files API uri, `gs://`, or a YouTube watch URL. */
export interface FileData {
  fileUri: string
  mimeType?: string
  [field: string]: unknown
}

export interface FunctionCall {
  id?: string
  name: string
  args?: Record<string, unknown>
  [field: string]: unknown
}

export interface FunctionResponse {
  id?: string
  name: string
  /** Always an object: `{output: …}` or `{error: …}` by convention. */
  response: Record<string, unknown>
  /** Media results; Gemini 3 and later. */
  parts?: Part[]
  [field: string]: unknown
}

/** One piece of a turn. Exactly one data field is set; `thought` and `thoughtSignature` are modifiers. */
export interface Part {
  text?: string
  /** True on a summary of thinking, which is never part of the answer. */
  thought?: boolean
  /** Opaque base64. Belongs to this very part: never moved, merged or shared. */
  thoughtSignature?: string
  inlineData?: InlineData
  fileData?: FileData
  functionCall?: FunctionCall
  functionResponse?: FunctionResponse
  executableCode?: { language?: string; code?: string; id?: string; [field: string]: unknown }
  codeExecutionResult?: { outcome?: string; output?: string; id?: string; [field: string]: unknown }
  [field: string]: unknown
}

export interface Content {
  /** `user` or `model`; missing means `user`. */
  role?: string
  parts?: Part[]
  [field: string]: unknown
}

export interface FunctionDeclaration {
  name: string
  description?: string
  /** OpenAPI subset. Exclusive with `parametersJsonSchema`. */
  parameters?: Record<string, unknown>
  parametersJsonSchema?: unknown
  [field: string]: unknown
}

export interface Tool {
  functionDeclarations?: FunctionDeclaration[]
  googleSearch?: Record<string, unknown>
  urlContext?: Record<string, unknown>
  codeExecution?: Record<string, unknown>
  [field: string]: unknown
}

export interface ToolConfig {
  functionCallingConfig?: { mode?: string; allowedFunctionNames?: string[]; [field: string]: unknown }
  [field: string]: unknown
}

export interface ThinkingConfig {
  /** Tokens; `-1` lets the model decide, `0` is off. Gemini 2.5. */
  thinkingBudget?: number
  /** `MINIMAL`, `LOW`, `MEDIUM`, `HIGH`. Gemini 3 and later. */
  thinkingLevel?: string
  includeThoughts?: boolean
  [field: string]: unknown
}

export interface GenerationConfig {
  temperature?: number
  topP?: number
  topK?: number
  /** Tokens, thinking included. */
  maxOutputTokens?: number
  candidateCount?: number
  stopSequences?: string[]
  seed?: number
  presencePenalty?: number
  frequencyPenalty?: number
  responseLogprobs?: boolean
  logprobs?: number
  responseMimeType?: string
  responseSchema?: Record<string, unknown>
  responseJsonSchema?: unknown
  responseModalities?: string[]
  thinkingConfig?: ThinkingConfig
  imageConfig?: { aspectRatio?: string; imageSize?: string; [field: string]: unknown }
  speechConfig?: Record<string, unknown>
  mediaResolution?: string
  [field: string]: unknown
}

export interface GenerateContentRequest {
  /** Model name without a leading `models/`. In Google's API it travels in the path. */
  model: string
  contents: Content[]
  systemInstruction?: Content
  tools?: Tool[]
  toolConfig?: ToolConfig
  safetySettings?: { category: string; threshold: string; [field: string]: unknown }[]
  generationConfig?: GenerationConfig
  cachedContent?: string
  [field: string]: unknown
}

export interface UsageMetadata {
  /** Whole prompt, cached tokens included, tool-use prompt tokens not. */
  promptTokenCount?: number
  cachedContentTokenCount?: number
  /** Tokens that server tools put into the prompt. */
  toolUsePromptTokenCount?: number
  /** Answer without thinking. */
  candidatesTokenCount?: number
  thoughtsTokenCount?: number
  totalTokenCount?: number
  /** Castor's own: true when the upstream counts nothing and these are guesses from text length. */
  estimated?: boolean
  [field: string]: unknown
}

export interface Candidate {
  index?: number
  content?: Content
  /** Only in the last chunk that has a candidate. */
  finishReason?: string
  finishMessage?: string
  safetyRatings?: unknown[]
  citationMetadata?: {
    citationSources?: { uri?: string; title?: string; [field: string]: unknown }[]
    citations?: { uri?: string; title?: string; [field: string]: unknown }[]
    [field: string]: unknown
  }
  groundingMetadata?: GroundingMetadata
  [field: string]: unknown
}

export interface GroundingMetadata {
  webSearchQueries?: string[]
  groundingChunks?: { web?: { uri?: string; title?: string; [field: string]: unknown }; [field: string]: unknown }[]
  /** `startIndex` and `endIndex` count UTF-8 bytes; `startIndex` absent means 0. */
  groundingSupports?: {
    segment?: { partIndex?: number; startIndex?: number; endIndex?: number; text?: string; [field: string]: unknown }
    groundingChunkIndices?: number[]
    [field: string]: unknown
  }[]
  [field: string]: unknown
}

/** One chunk of an answer; also the shape of a whole answer. Carries only what is new. */
export interface GenerateContentResponse {
  candidates?: Candidate[]
  promptFeedback?: { blockReason?: string; blockReasonMessage?: string; [field: string]: unknown }
  /** Cumulative: the last one counts. */
  usageMetadata?: UsageMetadata
  /** The model that answered, as the upstream names it. */
  modelVersion?: string
  responseId?: string
  [field: string]: unknown
}

export interface CountTokensResponse {
  totalTokens: number
  cachedContentTokenCount?: number
  [field: string]: unknown
}

export interface EmbedContentRequest {
  model: string
  content: Content
  taskType?: string
  title?: string
  outputDimensionality?: number
  [field: string]: unknown
}

export interface EmbedContentResponse {
  embeddings: { values: number[]; [field: string]: unknown }[]
  [field: string]: unknown
}

/** A model as `GET /v1beta/models` shows it. */
export interface ModelInfo {
  /** Without a leading `models/`. */
  name: string
  displayName?: string
  description?: string
  version?: string
  inputTokenLimit?: number
  outputTokenLimit?: number
  supportedGenerationMethods?: string[]
  thinking?: boolean
  [field: string]: unknown
}

const base64Pattern = /^[A-Za-z0-9+/\-_\s]*={0,2}\s*$/

const InlineDataSchema = v.looseObject({
  mimeType: v.string(),
  data: v.pipe(
    v.string(),
    v.check((data) => base64Pattern.test(data), 'must be base64'),
  ),
})

const FileDataSchema = v.looseObject({
  fileUri: v.pipe(v.string(), v.nonEmpty('must not be empty')),
  mimeType: v.optional(v.string()),
})

const ArgumentsSchema = v.record(v.string(), v.unknown())

const PartSchema: v.GenericSchema<unknown, Part> = v.looseObject({
  text: v.optional(v.string()),
  thought: v.optional(v.boolean()),
  thoughtSignature: v.optional(v.string()),
  inlineData: v.optional(InlineDataSchema),
  fileData: v.optional(FileDataSchema),
  functionCall: v.optional(
    v.looseObject({ id: v.optional(v.string()), name: v.string(), args: v.optional(ArgumentsSchema) }),
  ),
  functionResponse: v.optional(
    v.looseObject({ id: v.optional(v.string()), name: v.string(), response: ArgumentsSchema }),
  ),
  executableCode: v.optional(v.looseObject({ language: v.optional(v.string()), code: v.optional(v.string()) })),
  codeExecutionResult: v.optional(v.looseObject({ outcome: v.optional(v.string()), output: v.optional(v.string()) })),
})

/** A turn. Role is `user`, `model`, or the old synonym `function`. */
export const ContentSchema: v.GenericSchema<unknown, Content> = v.looseObject({
  role: v.optional(v.picklist(['user', 'model', 'function', 'system'])),
  parts: v.optional(v.array(PartSchema)),
})

const positiveInteger = v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(1, 'must be at least 1'))

const GenerationConfigSchema: v.GenericSchema<unknown, GenerationConfig> = v.looseObject({
  temperature: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(2))),
  topP: v.optional(v.number()),
  topK: v.optional(v.number()),
  maxOutputTokens: v.optional(positiveInteger),
  candidateCount: v.optional(positiveInteger),
  stopSequences: v.optional(v.array(v.string())),
  seed: v.optional(v.number()),
  responseMimeType: v.optional(v.string()),
  responseModalities: v.optional(v.array(v.string())),
  thinkingConfig: v.optional(
    v.looseObject({
      thinkingBudget: v.optional(v.number()),
      thinkingLevel: v.optional(v.string()),
      includeThoughts: v.optional(v.boolean()),
    }),
  ),
})

/** The request body of `generateContent`, model included. Unknown fields pass; wrong known ones fail. */
export const GenerateContentRequestSchema: v.GenericSchema<unknown, GenerateContentRequest> = v.looseObject({
  model: v.pipe(v.string(), v.nonEmpty('must not be empty')),
  contents: v.pipe(v.array(ContentSchema), v.nonEmpty('must hold at least one turn')),
  systemInstruction: v.optional(ContentSchema),
  tools: v.optional(
    v.array(
      v.looseObject({
        functionDeclarations: v.optional(v.array(v.looseObject({ name: v.string() }))),
      }),
    ),
  ),
  toolConfig: v.optional(v.looseObject({})),
  safetySettings: v.optional(v.array(v.looseObject({ category: v.string(), threshold: v.string() }))),
  generationConfig: v.optional(GenerationConfigSchema),
  cachedContent: v.optional(v.string()),
})
