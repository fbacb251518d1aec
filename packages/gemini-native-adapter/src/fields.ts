/**
 * How a message of Google's JSON is spelled: its known fields in camelCase, and what each holds. `null` is a value
 * to leave alone, because the caller chose its keys (arguments, schemas, results) or it has none.
 */
export interface Message {
  readonly [field: string]: Field
}
type Field = null | Message | readonly [Message] | (() => Message | readonly [Message])

const PART: Message = {
  text: null,
  thought: null,
  thoughtSignature: null,
  inlineData: { mimeType: null, data: null, displayName: null },
  fileData: { mimeType: null, fileUri: null, displayName: null },
  functionCall: { id: null, name: null, args: null },
  functionResponse: { id: null, name: null, response: null, willContinue: null, scheduling: null, parts: () => [PART] },
  executableCode: { id: null, language: null, code: null },
  codeExecutionResult: { id: null, outcome: null, output: null },
  toolCall: null,
  toolResponse: null,
  videoMetadata: { startOffset: null, endOffset: null, fps: null },
  mediaResolution: null,
}

const CONTENT: Message = { role: null, parts: [PART] }

const FUNCTION: Message = {
  name: null,
  description: null,
  behavior: null,
  parameters: null,
  parametersJsonSchema: null,
  response: null,
  responseJsonSchema: null,
}

const TOOL: Message = {
  functionDeclarations: [FUNCTION],
  googleSearch: { timeRangeFilter: { startTime: null, endTime: null } },
  googleSearchRetrieval: null,
  urlContext: null,
  codeExecution: null,
  googleMaps: { enableWidget: null },
  fileSearch: null,
  computerUse: null,
}

const VOICE: Message = { prebuiltVoiceConfig: { voiceName: null } }

const GENERATION_CONFIG: Message = {
  temperature: null,
  topP: null,
  topK: null,
  maxOutputTokens: null,
  candidateCount: null,
  stopSequences: null,
  seed: null,
  presencePenalty: null,
  frequencyPenalty: null,
  responseLogprobs: null,
  logprobs: null,
  responseMimeType: null,
  responseSchema: null,
  responseJsonSchema: null,
  responseModalities: null,
  mediaResolution: null,
  enableEnhancedCivicAnswers: null,
  thinkingConfig: { thinkingBudget: null, thinkingLevel: null, includeThoughts: null },
  imageConfig: { aspectRatio: null, imageSize: null },
  speechConfig: {
    languageCode: null,
    voiceConfig: VOICE,
    multiSpeakerVoiceConfig: { speakerVoiceConfigs: [{ speaker: null, voiceConfig: VOICE }] },
  },
}

/** Body of `generateContent`, and of `generateContentRequest` inside `countTokens`. Source: `gemini-api.md` section 3. */
export const GENERATE_CONTENT: Message = {
  model: null,
  contents: [CONTENT],
  systemInstruction: CONTENT,
  tools: [TOOL],
  toolConfig: {
    functionCallingConfig: { mode: null, allowedFunctionNames: null },
    retrievalConfig: { latLng: null, languageCode: null },
    includeServerSideToolInvocations: null,
  },
  safetySettings: [{ category: null, threshold: null }],
  generationConfig: GENERATION_CONFIG,
  cachedContent: null,
  serviceTier: null,
  store: null,
  labels: null,
}

/** Body of `countTokens`. */
export const COUNT_TOKENS: Message = { contents: [CONTENT], generateContentRequest: GENERATE_CONTENT }

/** Body of `embedContent`, and each entry of a batch. */
export const EMBED_CONTENT: Message = {
  model: null,
  content: CONTENT,
  taskType: null,
  title: null,
  outputDimensionality: null,
}

/** Body of `batchEmbedContents`. */
export const BATCH_EMBED_CONTENTS: Message = { requests: [EMBED_CONTENT] }

/**
 * Spells known fields the way the middle does: `snake_case` becomes camelCase, a lone object where a list belongs
 * becomes a list of one. Fields nobody knows stay as they are, and the caller's value is never changed: what needs
 * no change is handed back as the same object.
 */
export function respell(value: unknown, message: Message): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const given = value as Record<string, unknown>
  let changed: Record<string, unknown> | undefined
  for (const name in given) {
    const known = name in message ? name : toCamelCase(name, message)
    const held = given[name]
    const field = message[known]
    const fresh = field === null || field === undefined ? held : respellField(held, field)
    if (known === name && fresh === held) continue
    changed ??= { ...given }
    if (known !== name) delete changed[name]
    // Where a caller sends both spellings the camelCase one counts.
    if (known === name || !(known in given)) changed[known] = fresh
  }
  return changed ?? value
}

function respellField(value: unknown, field: Exclude<Field, null>): unknown {
  const resolved = typeof field === 'function' ? field() : field
  if (!isList(resolved)) return respell(value, resolved)
  if (!Array.isArray(value)) return isObject(value) ? [respell(value, resolved[0])] : value
  let changed: unknown[] | undefined
  for (let index = 0; index < value.length; index++) {
    const fresh = respell(value[index], resolved[0])
    if (fresh !== value[index]) (changed ??= [...(value as unknown[])])[index] = fresh
  }
  return changed ?? value
}

function isList(field: Message | readonly [Message]): field is readonly [Message] {
  return Array.isArray(field)
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

/** `system_instruction` as `systemInstruction` if the message has such a field; any other name as it is. */
function toCamelCase(name: string, message: Message): string {
  if (!name.includes('_')) return name
  const camel = name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
  return camel in message ? camel : name
}
