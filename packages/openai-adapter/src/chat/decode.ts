import { GenerationError, validate, type GenerateContentRequest, type Warning } from '@castorjs/content-generator'
import { createFileFields, type FileFields } from '../file-fields.ts'
import { decodeMessage, type Step } from './messages.ts'
import { ChatRequestSchema } from './schema.ts'
import { decodeSettings } from './settings.ts'
import { createToolNames, type ToolNames } from './tool-names.ts'
import { decodeTools } from './tools.ts'
import { orderTurns } from './turns.ts'

export interface DecodeChatOptions {
  /** Ask for summaries of the thinking unless the caller says otherwise. Default true. */
  includeThoughts?: boolean
  /** The signature of a call by its id and model, for clients that drop `extra_content`. */
  recallSignature?: (callId: string, model: string) => string | undefined
  /** Learns which field named which remote file, for errors that come while decoding or later. */
  files?: FileFields
}

/** A chat request in the middle's words, and what its answer must look like. */
export interface DecodedChatRequest {
  request: GenerateContentRequest
  /** One for each setting that was left out or approximated. */
  warnings: Warning[]
  stream: boolean
  shape: ChatShape
  files: FileFields
}

/** What the request says about the shape of its answer. */
export interface ChatShape {
  /** The model as the caller named it; answers repeat it (row 63). */
  model: string
  /** A stream ends with a chunk of usage. */
  includeUsage: boolean
  /** Markdown fences around the answer are taken off. */
  json: boolean
  /** Names of tools, back to the caller's own. */
  toolNames: Pick<ToolNames, 'decode'>
  /** Tools that take free text, by the name Gemini knows. */
  customTools: ReadonlySet<string>
  /** Only the first call of an answer is handed out. */
  singleCall: boolean
  /** Answers use `function_call` instead of `tool_calls`. */
  legacyCalls: boolean
  /** Speech is handed out as WAV or as raw samples. */
  audioFormat: 'wav' | 'pcm16'
}

/**
 * Turns a Chat Completions body into a `generateContent` request.
 *
 * Tool messages are gathered behind the calls they answer, in the order of the calls; system messages join
 * into the system instruction. Pictures and files inside the body are typed by their bytes; remote ones stay
 * references (`fileData`) for the upstream to fetch.
 *
 * @param body Parsed JSON of `POST /v1/chat/completions`, not yet validated.
 * @throws {GenerationError} `invalid_request` or `unsupported`, naming the first offending field.
 */
export async function decodeChatRequest(
  body: unknown,
  { includeThoughts = true, recallSignature, files = createFileFields() }: DecodeChatOptions = {},
): Promise<DecodedChatRequest> {
  const chat = validate(ChatRequestSchema, body)
  const names = createToolNames()
  const decoded = decodeTools(chat, names)
  const hasFunctions = decoded.tools.some((tool) => tool.functionDeclarations !== undefined)
  const settings = decodeSettings(chat, { hasFunctions, includeThoughts })
  const singleCall = hasFunctions && chat.parallel_tool_calls === false

  const context = { names, files, recallSignature: (callId: string) => recallSignature?.(callId, chat.model) }
  const steps: Step[] = []
  for (const [index, message] of chat.messages.entries()) {
    steps.push(await decodeMessage(message, `messages[${index}]`, context))
  }
  const turns = orderTurns(steps, chat.model)
  if (turns.contents.length === 0) {
    throw new GenerationError('invalid_request', '`messages` are all empty; at least one must say something.', {
      field: 'messages',
    })
  }
  if (singleCall) settings.instructions.push('Call at most one function at a time, then wait for its result.')
  const system = [...(turns.systemInstruction?.parts ?? []), ...settings.instructions.map((text) => ({ text }))]
  const google = chat.google ?? chat.extra_body?.google
  return {
    request: {
      model: chat.model,
      contents: turns.contents,
      ...(system.length === 0 ? {} : { systemInstruction: { parts: system } }),
      ...(decoded.tools.length === 0 ? {} : { tools: decoded.tools }),
      ...(decoded.toolConfig === undefined ? {} : { toolConfig: decoded.toolConfig }),
      ...(Object.keys(settings.generationConfig).length === 0 ? {} : { generationConfig: settings.generationConfig }),
      ...(chat.safety_settings == null ? {} : { safetySettings: chat.safety_settings }),
      ...(google?.cached_content == null ? {} : { cachedContent: google.cached_content }),
    },
    warnings: [...decoded.warnings, ...settings.warnings, ...turns.warnings],
    stream: chat.stream === true,
    shape: {
      model: chat.model,
      includeUsage: chat.stream_options?.include_usage === true,
      json: settings.json,
      toolNames: names,
      customTools: decoded.custom,
      singleCall,
      legacyCalls: decoded.legacy,
      audioFormat: chat.audio?.format === 'pcm16' ? 'pcm16' : 'wav',
    },
    files,
  }
}
