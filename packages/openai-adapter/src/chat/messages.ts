import { GenerationError, readModelFamily, type Part } from '@castorjs/content-generator'
import { toInlinePart } from '@castorjs/content-generator/media'
import type { FileFields } from '../file-fields.ts'
import { decodeContentPart } from './content-parts.ts'
import type { ChatMessage, ToolCallBody } from './schema.ts'
import type { ToolNames } from './tool-names.ts'
import { decodeArguments, decodeResult, splitCallId } from './tool-values.ts'

/** One message in the middle's words, before turns are put in order. */
export type Step =
  | { type: 'system'; text: string }
  | { type: 'user'; parts: Part[] }
  | { type: 'assistant'; parts: Part[]; calls: Call[]; pictures: Part[] }
  | { type: 'result'; id: string | undefined; name: string | undefined; text: string; media: Part[] }

export interface Call {
  /** As the caller replays it. */
  id: string | undefined
  /** Already legal for Gemini. */
  name: string
  arguments: Record<string, unknown>
  signature: string | undefined
}

export interface MessageContext {
  names: ToolNames
  files: FileFields
  /** The signature of a call by its id, for clients that lose what they cannot read. */
  recallSignature: (callId: string) => string | undefined
}

/** @throws {GenerationError} naming the offending field. */
export async function decodeMessage(message: ChatMessage, field: string, context: MessageContext): Promise<Step> {
  switch (message.role) {
    case 'system':
    case 'developer':
      return { type: 'system', text: readText(message, field, 'A system message holds text only.') }
    case 'user':
      return { type: 'user', parts: await decodeContent(message, field, context.files) }
    case 'assistant':
      return decodeAssistant(message, field, context)
    case 'tool':
    case 'function':
      return decodeToolMessage(message, field, context)
  }
}

async function decodeContent(message: ChatMessage, field: string, files: FileFields): Promise<Part[]> {
  const { content } = message
  if (content == null || content === '') return []
  if (typeof content === 'string') return [{ text: content }]
  const parts: Part[] = []
  for (const [index, piece] of content.entries()) {
    const part = await decodeContentPart(piece, `${field}.content[${index}]`, files)
    if (part !== undefined) parts.push(part)
  }
  return parts
}

function readText(message: ChatMessage, field: string, complaint: string): string {
  const { content } = message
  if (content == null) return ''
  if (typeof content === 'string') return content
  const texts: string[] = []
  for (const [index, piece] of content.entries()) {
    if (piece.type === 'refusal') texts.push(piece.refusal)
    else if ('text' in piece && typeof piece.text === 'string') texts.push(piece.text)
    else {
      const where = `${field}.content[${index}].type`
      throw new GenerationError('invalid_request', `\`${where}\`: ${complaint}`, { field: where })
    }
  }
  return texts.join('\n')
}

async function decodeAssistant(message: ChatMessage, field: string, context: MessageContext): Promise<Step> {
  const content = await decodeContent(message, field, context.files)
  const { parts, pictures } = await takePictures(content, message, field)
  if (parts.length === 0 && message.refusal != null && message.refusal !== '') parts.push({ text: message.refusal })
  const signature = readSignature(message)
  if (signature !== undefined) {
    const last = parts.at(-1)
    if (last?.text === undefined) parts.push({ text: '', thoughtSignature: signature })
    else parts[parts.length - 1] = { ...last, thoughtSignature: signature }
  }
  const calls: Call[] = []
  for (const [index, call] of (message.tool_calls ?? []).entries()) {
    calls.push(decodeCall(call, `${field}.tool_calls[${index}]`, context))
  }
  if (message.function_call != null && calls.length === 0) {
    const { name, arguments: given } = message.function_call
    calls.push({
      id: undefined,
      name: context.names.encode(name),
      arguments: decodeArguments(given),
      signature: readSignature(message.function_call),
    })
  }
  return { type: 'assistant', parts, calls, pictures }
}

function decodeCall(call: ToolCallBody, field: string, { names, recallSignature }: MessageContext): Call {
  const split = call.id == null ? undefined : splitCallId(call.id)
  const id = split?.id
  const signature =
    readSignature(call) ??
    (call.function == null ? undefined : readSignature(call.function)) ??
    split?.signature ??
    (id === undefined ? undefined : recallSignature(id))
  if (call.custom != null) {
    return { id, name: names.encode(call.custom.name), arguments: { input: call.custom.input ?? '' }, signature }
  }
  if (call.function == null) {
    throw new GenerationError('invalid_request', `\`${field}.function\` is missing; it must be an object.`, {
      field: `${field}.function`,
    })
  }
  return {
    id,
    name: names.encode(call.function.name),
    arguments: decodeArguments(call.function.arguments),
    signature,
  }
}

interface Signed {
  extra_content?: { google?: { thought_signature?: string | null | undefined } | null | undefined } | null | undefined
  provider_specific_fields?: { thought_signature?: string | null | undefined } | null | undefined
}

function readSignature({ extra_content: extra, provider_specific_fields: specific }: Signed): string | undefined {
  return extra?.google?.thought_signature || specific?.thought_signature || undefined
}

/** Bytes in Markdown, as answers here show pictures and link clips. */
const MARKDOWN_BYTES = /!?\[[^\]]{0,500}\]\((data:[a-z]+\/[a-z0-9.+-]+;base64,[A-Za-z0-9+/=]+)\)/g

/**
 * Takes bytes out of a replayed answer, where they would be read as text. Pictures go with the user's next words,
 * since a picture in a model turn needs a signature that no client keeps; clips are left out.
 */
async function takePictures(
  content: readonly Part[],
  message: ChatMessage,
  field: string,
): Promise<{ parts: Part[]; pictures: Part[] }> {
  const urls = new Set<string>()
  const parts: Part[] = []
  const pictures: Part[] = []
  for (const part of content) {
    if (part.text === undefined) {
      pictures.push(part)
      continue
    }
    if (!part.text.includes('](data:')) {
      parts.push(part)
      continue
    }
    const text = part.text.replace(MARKDOWN_BYTES, (_, url: string) => {
      if (url.startsWith('data:image/')) urls.add(url)
      return ''
    })
    if (text.trim() !== '') parts.push({ ...part, text })
  }
  for (const { image_url: image } of message.images ?? []) {
    const url = typeof image === 'string' ? image : image?.url
    if (url?.startsWith('data:') === true) urls.add(url)
  }
  for (const data of urls) pictures.push(await toInlinePart({ data, field: `${field}.content` }))
  return { parts, pictures }
}

async function decodeToolMessage(message: ChatMessage, field: string, context: MessageContext): Promise<Step> {
  const parts = await decodeContent(message, field, context.files)
  const texts: string[] = []
  const media: Part[] = []
  for (const part of parts) {
    if (part.text === undefined) media.push(part)
    else texts.push(part.text)
  }
  return {
    type: 'result',
    id: message.tool_call_id == null ? undefined : splitCallId(message.tool_call_id).id,
    name: message.name == null ? undefined : context.names.encode(message.name),
    text: texts.join('\n'),
    media,
  }
}

/** A result as Gemini wants it; pictures ride inside it from Gemini 3 on. */
export function encodeResult(call: Call, step: Extract<Step, { type: 'result' }> | undefined, model: string): Part {
  const id = call.id === undefined ? {} : { id: call.id }
  if (step === undefined) {
    return { functionResponse: { ...id, name: call.name, response: { error: 'no result was provided' } } }
  }
  const nested = step.media.length > 0 && takesMediaInResults(model) ? { parts: step.media } : {}
  return { functionResponse: { ...id, name: call.name, response: decodeResult(step.text), ...nested } }
}

export function takesMediaInResults(model: string): boolean {
  return (readModelFamily(model)?.generation ?? 0) >= 3
}
