import { createEventReader, type GenerateContentResponse } from '@castorjs/content-generator'
import { createId, unixSeconds } from '../ids.ts'
import { createAnnotationReader } from './annotations.ts'
import { encodeAudio } from './audio.ts'
import { encodeCall, toToolCall, type EncodedCall } from './calls.ts'
import type { ChatShape } from './decode.ts'
import { FINISH_REASONS, type ChatEncodeOptions } from './encode-options.ts'
import { createJsonFence } from './json-fence.ts'
import { encodeLogprobs } from './logprobs.ts'
import { renderCode, renderCodeResult, renderMedia } from './render.ts'
import { createTextCount, encodeUsage } from './usage.ts'

/**
 * A whole answer as a `chat.completion` object.
 *
 * @param answer What `collect` gives.
 * @throws {GenerationError} `blocked` when the prompt was refused, `upstream_unavailable` when the answer has
 * no finish reason.
 */
export function encodeChatCompletion(
  answer: GenerateContentResponse,
  shape: ChatShape,
  { id, created, pictures = 'both', promptTokens, onUsage, onSignature }: ChatEncodeOptions = {},
) {
  const reader = createEventReader()
  const events = [...reader.read(answer), ...reader.finish()]
  const fence = shape.json ? createJsonFence() : undefined
  const annotations = createAnnotationReader({ keepText: true })
  const count = createTextCount()
  const calls: EncodedCall[] = []
  const images: { type: 'image_url'; image_url: { url: string }; index: number }[] = []
  let content = ''
  let reasoning = ''
  let signature: string | undefined
  let audio: ReturnType<typeof encodeAudio>
  let finish: Extract<(typeof events)[number], { type: 'finish' }> | undefined

  function insert(markdown: string): void {
    content += markdown
    annotations.pass(markdown, true)
  }

  for (const event of events) {
    switch (event.type) {
      case 'text-delta': {
        const text = fence === undefined ? event.text : fence.push(event.text)
        content += text
        annotations.pass(text)
        count.add(text)
        signature = event.signature ?? signature
        break
      }
      case 'thought-delta':
        reasoning += event.text
        count.add(event.text)
        break
      case 'tool-call': {
        if (shape.singleCall && calls.length > 0) break
        const call = encodeCall(event, shape)
        if (event.signature !== undefined) onSignature?.(call.id, event.signature)
        calls.push(call)
        break
      }
      case 'code':
        insert(renderCode(event.language, event.code))
        break
      case 'code-result':
        insert(renderCodeResult(event.outcome, event.output))
        break
      case 'media': {
        audio ??= encodeAudio(event, shape.audioFormat)
        if (audio !== undefined && event.mimeType.startsWith('audio/')) break
        const url = event.data === undefined ? (event.url ?? '') : `data:${event.mimeType};base64,${event.data}`
        const isPicture = event.mimeType.startsWith('image/')
        if (isPicture && pictures !== 'markdown') {
          images.push({ type: 'image_url', image_url: { url }, index: images.length })
        }
        if (!isPicture || pictures !== 'field') insert(renderMedia(event.mimeType, url))
        break
      }
      case 'citation':
        annotations.cite(event.url, event.title)
        break
      case 'grounding':
        annotations.ground(event.metadata)
        break
      case 'finish':
        finish = event
        break
    }
  }
  content += fence?.finish() ?? ''
  const usage = finish?.usage ?? {
    inputTokens: promptTokens?.() ?? 0,
    cachedTokens: 0,
    outputTokens: count.tokens(),
    thoughtTokens: 0,
    estimated: true,
  }
  onUsage?.(usage)
  const reason = FINISH_REASONS[finish?.reason ?? 'stop']
  const first = calls[0]
  return {
    id: id ?? createId('chatcmpl-'),
    object: 'chat.completion' as const,
    created: created ?? unixSeconds(),
    model: shape.model,
    choices: [
      {
        index: 0,
        finish_reason: shape.legacyCalls && reason === 'tool_calls' ? 'function_call' : reason,
        logprobs: encodeLogprobs(answer.candidates?.[0]),
        message: {
          role: 'assistant' as const,
          content: content === '' && (calls.length > 0 || audio !== undefined) ? null : content,
          refusal: null,
          annotations: annotations.finish(),
          ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
          ...(images.length === 0 ? {} : { images }),
          ...(audio === undefined ? {} : { audio }),
          ...(first === undefined
            ? {}
            : shape.legacyCalls
              ? { function_call: { name: first.name, arguments: first.input } }
              : { tool_calls: calls.map(toToolCall) }),
          ...(signature === undefined ? {} : { extra_content: { google: { thought_signature: signature } } }),
        },
      },
    ],
    usage: encodeUsage(usage),
    system_fingerprint: null,
    service_tier: 'default' as const,
  }
}

export type ChatCompletionBody = ReturnType<typeof encodeChatCompletion>
