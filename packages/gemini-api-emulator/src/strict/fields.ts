import type { Fields, Kind } from './message.ts'

/** The request messages of the Gemini API. Source: `gemini-api.md` sections 3, 6, 8, 9 and 10. */

const message = (fields: Fields): Kind => ({ message: () => fields })
const list = (kind: Kind): Kind => ({ list: kind })

/** `google.ai.generativelanguage.Schema`: the OpenAPI subset. */
const SCHEMA: Fields = {
  type: { enum: ['TYPE_UNSPECIFIED', 'STRING', 'NUMBER', 'INTEGER', 'BOOLEAN', 'ARRAY', 'OBJECT', 'NULL'] },
  format: 'string',
  title: 'string',
  description: 'string',
  nullable: 'bool',
  enum: list('string'),
  items: { message: () => SCHEMA },
  minItems: 'int',
  maxItems: 'int',
  properties: { map: { message: () => SCHEMA } },
  required: list('string'),
  minProperties: 'int',
  maxProperties: 'int',
  minimum: 'number',
  maximum: 'number',
  minLength: 'int',
  maxLength: 'int',
  pattern: 'string',
  example: 'value',
  anyOf: list({ message: () => SCHEMA }),
  propertyOrdering: list('string'),
  default: 'value',
}

const PART: Fields = {
  text: 'string',
  inlineData: message({ mimeType: 'string', data: 'bytes', displayName: 'string' }),
  fileData: message({ mimeType: 'string', fileUri: 'string', displayName: 'string' }),
  functionCall: message({ id: 'string', name: 'string', args: 'struct' }),
  functionResponse: message({
    id: 'string',
    name: 'string',
    response: 'struct',
    willContinue: 'bool',
    scheduling: 'string',
    parts: list({ message: () => PART }),
  }),
  executableCode: message({ id: 'string', language: 'string', code: 'string' }),
  codeExecutionResult: message({ id: 'string', outcome: 'string', output: 'string' }),
  toolCall: 'struct',
  toolResponse: 'struct',
  thought: 'bool',
  // Google's sentinels are plain words, so more than base64 is let in here and judged later.
  thoughtSignature: 'string',
  videoMetadata: message({ startOffset: 'string', endOffset: 'string', fps: 'number' }),
  mediaResolution: message({ level: 'string' }),
  partMetadata: 'struct',
}

const CONTENT: Fields = { role: 'string', parts: list(message(PART)) }

const FUNCTION: Fields = {
  name: 'string',
  description: 'string',
  behavior: 'string',
  parameters: message(SCHEMA),
  parametersJsonSchema: 'value',
  response: message(SCHEMA),
  responseJsonSchema: 'value',
}

const TOOL: Fields = {
  functionDeclarations: list(message(FUNCTION)),
  googleSearch: message({ timeRangeFilter: 'struct', searchTypes: 'struct' }),
  googleSearchRetrieval: 'struct',
  urlContext: message({}),
  codeExecution: message({}),
  googleMaps: message({ enableWidget: 'bool' }),
  fileSearch: 'struct',
  computerUse: 'struct',
}

const VOICE: Fields = { prebuiltVoiceConfig: message({ voiceName: 'string' }) }

const GENERATION_CONFIG: Fields = {
  temperature: 'number',
  topP: 'number',
  topK: 'number',
  maxOutputTokens: 'int',
  candidateCount: 'int',
  stopSequences: list('string'),
  seed: 'int',
  presencePenalty: 'number',
  frequencyPenalty: 'number',
  responseLogprobs: 'bool',
  logprobs: 'int',
  responseMimeType: 'string',
  responseSchema: message(SCHEMA),
  responseJsonSchema: 'value',
  responseModalities: list({ enum: ['MODALITY_UNSPECIFIED', 'TEXT', 'IMAGE', 'AUDIO', 'VIDEO'] }),
  mediaResolution: {
    enum: ['MEDIA_RESOLUTION_UNSPECIFIED', 'MEDIA_RESOLUTION_LOW', 'MEDIA_RESOLUTION_MEDIUM', 'MEDIA_RESOLUTION_HIGH'],
  },
  enableEnhancedCivicAnswers: 'bool',
  thinkingConfig: message({
    thinkingBudget: 'int',
    thinkingLevel: { enum: ['THINKING_LEVEL_UNSPECIFIED', 'MINIMAL', 'LOW', 'MEDIUM', 'HIGH'] },
    includeThoughts: 'bool',
  }),
  imageConfig: message({ aspectRatio: 'string', imageSize: 'string' }),
  speechConfig: message({
    languageCode: 'string',
    voiceConfig: message(VOICE),
    multiSpeakerVoiceConfig: message({
      speakerVoiceConfigs: list(message({ speaker: 'string', voiceConfig: message(VOICE) })),
    }),
  }),
}

export const GENERATE_CONTENT: Fields = {
  model: 'string',
  contents: list(message(CONTENT)),
  systemInstruction: message(CONTENT),
  tools: list(message(TOOL)),
  toolConfig: message({
    functionCallingConfig: message({
      mode: { enum: ['MODE_UNSPECIFIED', 'AUTO', 'ANY', 'NONE', 'VALIDATED'] },
      allowedFunctionNames: list('string'),
    }),
    retrievalConfig: message({ latLng: 'struct', languageCode: 'string' }),
    includeServerSideToolInvocations: 'bool',
  }),
  safetySettings: list(message({ category: 'string', threshold: 'string' })),
  generationConfig: message(GENERATION_CONFIG),
  cachedContent: 'string',
  serviceTier: { enum: ['UNSPECIFIED', 'FLEX', 'STANDARD', 'PRIORITY'] },
  store: 'bool',
  labels: { map: 'string' },
}

export const COUNT_TOKENS: Fields = {
  contents: list(message(CONTENT)),
  generateContentRequest: message(GENERATE_CONTENT),
}

export const EMBED_CONTENT: Fields = {
  model: 'string',
  content: message(CONTENT),
  taskType: {
    enum: [
      'TASK_TYPE_UNSPECIFIED',
      'RETRIEVAL_QUERY',
      'RETRIEVAL_DOCUMENT',
      'SEMANTIC_SIMILARITY',
      'CLASSIFICATION',
      'CLUSTERING',
      'QUESTION_ANSWERING',
      'FACT_VERIFICATION',
      'CODE_RETRIEVAL_QUERY',
    ],
  },
  title: 'string',
  outputDimensionality: 'int',
}

export const BATCH_EMBED_CONTENTS: Fields = { requests: list(message(EMBED_CONTENT)) }

/** What Code Assist adds around `generateContent`. Source: `code-assist.md` section 4.1. */
export const CODE_ASSIST_GENERATE: Fields = {
  model: 'string',
  project: 'string',
  userPromptId: 'string',
  enabledCreditTypes: list('string'),
  request: message({ ...GENERATE_CONTENT, sessionId: 'string' }),
}

export const CODE_ASSIST_COUNT: Fields = {
  request: message({ model: 'string', contents: list(message(CONTENT)) }),
}
