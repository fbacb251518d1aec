import {
  createEventReader,
  GenerationError,
  type GenerateContentResponse,
  type GenerationEvent,
  type Usage,
} from '@castorjs/content-generator'
import { encodeErrorBody } from '../errors.ts'
import { createId, unixSeconds } from '../ids.ts'
import { createAnnotationReader } from './annotations.ts'
import { encodeAudio } from './audio.ts'
import { encodeCall, type EncodedCall } from './calls.ts'
import type { ChatShape } from './decode.ts'
import { FINISH_REASONS, type ChatEncodeOptions } from './encode-options.ts'
import { createJsonFence } from './json-fence.ts'
import { encodeLogprobs } from './logprobs.ts'
import { renderCode, renderCodeResult, renderMedia } from './render.ts'
import { createTextCount, encodeUsage } from './usage.ts'

/** Writes one answer as an event stream, a piece of text per chunk. */
export interface ChatStreamEncoder {
  /** The events of one chunk, ready to send; empty when it holds nothing new. */
  push(chunk: GenerateContentResponse): string
  /**
   * The end: citations, the finish reason, usage if asked for, `[DONE]`.
   * @throws {GenerationError} when the answer was blocked or is not complete.
   */
  finish(): string
  /** A failure after the status was sent; nothing follows it. A refusal of the prompt is a finish of its own. */
  fail(error: GenerationError): string
}

const DONE = 'data: [DONE]\n\n'
const NEW_LINE_BYTES = 512

/**
 * An encoder of `chat.completion.chunk` events. Only what is new in a chunk is touched, and one string is made
 * of it. Text longer than a line may be is sent in several deltas; a picture that does not fit into a line is
 * left out of `images` and sent as Markdown, cut the same way.
 */
export function createChatStreamEncoder(
  shape: ChatShape,
  {
    id = createId('chatcmpl-'),
    created = unixSeconds(),
    pictures = 'both',
    maxLineBytes = 131_072,
    promptTokens,
    grounded = false,
    onUsage,
    onSignature,
  }: ChatEncodeOptions = {},
): ChatStreamEncoder {
  const reader = createEventReader()
  const fence = shape.json ? createJsonFence() : undefined
  const annotations = createAnnotationReader({ keepText: grounded })
  const count = createTextCount()
  const head = `data: ${JSON.stringify({ id, object: 'chat.completion.chunk', created, model: shape.model, system_fingerprint: null }).slice(0, -1)},"choices":[`
  const deltaHead = `${head}{"index":0,"delta":`
  const close = shape.includeUsage ? `],"usage":null}\n\n` : ']}\n\n'
  const deltaTail = `,"logprobs":null,"finish_reason":null}${close}`
  // A UTF-16 unit takes at most six bytes in JSON: an escape such as \u0007.
  const maxPiece = Math.max(1, Math.floor((maxLineBytes - NEW_LINE_BYTES) / 6))
  let started = false
  let calls = 0
  let images = 0
  let usageSeen = false

  function delta(fields: unknown): string {
    return deltaHead + JSON.stringify(fields) + deltaTail
  }

  function textDelta(name: string, text: string, tail = deltaTail): string {
    if (text.length <= maxPiece) return `${deltaHead}{"${name}":${JSON.stringify(text)}}${tail}`
    return cutText(text, maxPiece)
      .map((piece) => `${deltaHead}{"${name}":${JSON.stringify(piece)}}${deltaTail}`)
      .join('')
  }

  function own(markdown: string): string {
    annotations.pass(markdown, true)
    return textDelta('content', markdown)
  }

  function start(): string {
    if (started) return ''
    started = true
    return delta({ role: 'assistant', content: '' })
  }

  function encode(event: GenerationEvent, tail: string): string {
    switch (event.type) {
      case 'text-delta': {
        const text = fence === undefined ? event.text : fence.push(event.text)
        annotations.pass(text)
        if (!usageSeen) count.add(text)
        const said = text === '' ? '' : textDelta('content', text, tail)
        if (event.signature === undefined) return said
        return said + delta({ content: '', extra_content: { google: { thought_signature: event.signature } } })
      }
      case 'thought-delta':
        if (!usageSeen) count.add(event.text)
        return event.text === '' ? '' : textDelta('reasoning_content', event.text)
      case 'tool-call': {
        if (shape.singleCall && calls > 0) return ''
        const call = encodeCall(event, shape)
        if (event.signature !== undefined) onSignature?.(call.id, event.signature)
        return callDeltas(call, calls++)
      }
      case 'code':
        return own(renderCode(event.language, event.code))
      case 'code-result':
        return own(renderCodeResult(event.outcome, event.output))
      case 'media':
        return encodeMedia(event)
      case 'citation':
        annotations.cite(event.url, event.title)
        return ''
      case 'grounding':
        annotations.ground(event.metadata)
        return ''
      default:
        return ''
    }
  }

  function encodeMedia(event: Extract<GenerationEvent, { type: 'media' }>): string {
    const audio = encodeAudio(event, shape.audioFormat)
    if (audio !== undefined) {
      const pieces = cutText(audio.data, maxPiece)
      return pieces.map((data, index) => delta({ audio: index === 0 ? { ...audio, data } : { data } })).join('')
    }
    const url = event.data === undefined ? (event.url ?? '') : `data:${event.mimeType};base64,${event.data}`
    if (!event.mimeType.startsWith('image/')) return own(renderMedia(event.mimeType, url))
    const fits = url.length + NEW_LINE_BYTES <= maxLineBytes
    let text = ''
    if (pictures !== 'markdown' && fits) {
      text += delta({ images: [{ type: 'image_url', image_url: { url }, index: images++ }] })
    }
    if (pictures !== 'field' || !fits) text += own(renderMedia(event.mimeType, url))
    return text
  }

  function callDeltas({ id: callId, type, name, input, extra }: EncodedCall, index: number): string {
    const [first = '', ...rest] = cutText(input, maxPiece)
    if (shape.legacyCalls) {
      const more = rest.map((piece) => delta({ function_call: { arguments: piece } }))
      return delta({ function_call: { name, arguments: first } }) + more.join('')
    }
    const body = (piece: string, named: { name?: string }) =>
      type === 'custom' ? { custom: { ...named, input: piece } } : { function: { ...named, arguments: piece } }
    const more = rest.map((piece) => delta({ tool_calls: [{ index, ...body(piece, {}) }] }))
    return delta({ tool_calls: [{ index, id: callId, type, ...body(first, { name }), ...extra }] }) + more.join('')
  }

  function end(reason: string, usage: Usage): string {
    let text = `${head}{"index":0,"delta":{},"logprobs":null,"finish_reason":${JSON.stringify(reason)}}${close}`
    if (shape.includeUsage) text += `${head}],"usage":${JSON.stringify(encodeUsage(usage))}}\n\n`
    return text + DONE
  }

  function guessUsage(): Usage {
    return {
      inputTokens: promptTokens?.() ?? 0,
      cachedTokens: 0,
      outputTokens: count.tokens(),
      thoughtTokens: 0,
      estimated: true,
    }
  }

  return {
    push(chunk) {
      let text = ''
      usageSeen ||= chunk.usageMetadata !== undefined
      const logprobs =
        chunk.candidates?.[0]?.['logprobsResult'] === undefined ? null : encodeLogprobs(chunk.candidates[0])
      let tail = logprobs === null ? deltaTail : `,"logprobs":${JSON.stringify(logprobs)},"finish_reason":null}${close}`
      for (const event of reader.read(chunk)) {
        text += encode(event, tail)
        if (event.type === 'text-delta') tail = deltaTail
      }
      // Nothing is said before the model says something: until then a failure still gets its own status.
      return text === '' || started ? text : start() + text
    },
    finish() {
      const [finish] = reader.finish()
      if (finish?.type !== 'finish') throw new GenerationError('internal', 'The answer has no end.')
      const rest = fence?.finish() ?? ''
      let text = start() + (rest === '' ? '' : textDelta('content', rest))
      const cited = annotations.finish()
      if (cited.length > 0) text += delta({ annotations: cited })
      const usage = finish.usage ?? guessUsage()
      onUsage?.(usage)
      const reason = FINISH_REASONS[finish.reason]
      return text + end(shape.legacyCalls && reason === 'tool_calls' ? 'function_call' : reason, usage)
    },
    fail(error) {
      if (error.code === 'blocked') return start() + end('content_filter', guessUsage())
      return `data: ${JSON.stringify(encodeErrorBody(error).body)}\n\n`
    },
  }
}

/** Cuts text into pieces of at most `length` UTF-16 units, never inside a surrogate pair. */
function cutText(text: string, length: number): string[] {
  const pieces: string[] = []
  let start = 0
  while (text.length - start > length) {
    let end = start + length
    const unit = text.charCodeAt(end - 1)
    if (unit >= 0xd800 && unit <= 0xdbff && length > 1) end--
    pieces.push(text.slice(start, end))
    start = end
  }
  pieces.push(text.slice(start))
  return pieces
}
