import {
  addUsage,
  createEventReader,
  GenerationError,
  readUpstreamCode,
  toGenerationError,
  type ContentGenerator,
  type GenerateOptions,
  type Usage,
} from '@castorjs/content-generator'
import type { DecodedImageRequest } from './decode.ts'
import { keepModelWords } from './model-words.ts'

/** A picture: its bytes in base64, or where to fetch it. */
export interface Picture {
  mimeType: string
  data?: string
  url?: string
}

/** What one call has to show. */
export type DrawingEvent = { type: 'draft'; picture: Picture } | { type: 'done'; pictures: Picture[]; usage: Usage }

const NO_USAGE: Usage = { inputTokens: 0, cachedTokens: 0, outputTokens: 0, thoughtTokens: 0, estimated: true }
const MAX_REFUSAL_CHARACTERS = 1_000

/**
 * Asks for one picture. Drafts, which image models send as thoughts, come first.
 *
 * @throws {GenerationError} `blocked` when it answered in words only; `modelWordsOf` has them.
 */
export async function* draw(
  generator: ContentGenerator,
  { request, media }: Pick<DecodedImageRequest, 'request' | 'media'>,
  options: GenerateOptions,
): AsyncGenerator<DrawingEvent> {
  const reader = createEventReader()
  const pictures: Picture[] = []
  let words = ''
  for await (const chunk of generator.generateContentStream(request, { ...options, media })) {
    for (const part of chunk.candidates?.[0]?.content?.parts ?? []) {
      if (part.thought === true && part.inlineData !== undefined) yield { type: 'draft', picture: part.inlineData }
    }
    for (const event of reader.read(chunk)) {
      if (event.type === 'text-delta') words += event.text
      if (event.type !== 'media' || !event.mimeType.startsWith('image/')) continue
      const { mimeType, data, url } = event
      pictures.push({ mimeType, ...(data === undefined ? {} : { data }), ...(url === undefined ? {} : { url }) })
    }
  }
  const [finish] = reader.finish()
  if (pictures.length === 0) throw refusal(words, finish?.type === 'finish' ? finish.rawReason : undefined)
  const usage = finish?.type === 'finish' ? finish.usage : undefined
  yield { type: 'done', pictures, usage: usage ?? NO_USAGE }
}

function refusal(words: string, rawReason: string | undefined): GenerationError {
  const reason = readUpstreamCode(rawReason)
  const options = reason === undefined ? {} : { upstreamCode: reason }
  const said = words.trim().slice(0, MAX_REFUSAL_CHARACTERS)
  if (said !== '') {
    const error = new GenerationError('blocked', 'The model answered in words and made no picture.', options)
    return keepModelWords(error, said)
  }
  const message = `The model made no picture (${reason ?? 'no reason given'}). Change the prompt.`
  return new GenerationError('blocked', message, options)
}

/**
 * Draws as many pictures as asked for, side by side. Some may fail as long as one is there.
 *
 * @throws {GenerationError} the first failure when none is.
 */
export async function drawAll(
  generator: ContentGenerator,
  decoded: DecodedImageRequest,
  options: GenerateOptions,
): Promise<{ pictures: Picture[]; usage: Usage; failed: number }> {
  const calls = await Promise.allSettled(
    Array.from({ length: decoded.count }, async () => {
      let done: { pictures: Picture[]; usage: Usage } = { pictures: [], usage: NO_USAGE }
      for await (const event of draw(generator, decoded, options)) if (event.type === 'done') done = event
      return done
    }),
  )
  const pictures: Picture[] = []
  const failures: unknown[] = []
  let usage: Usage | undefined
  for (const call of calls) {
    if (call.status === 'rejected') {
      failures.push(call.reason)
      continue
    }
    pictures.push(...call.value.pictures)
    usage = usage === undefined ? call.value.usage : addUsage(usage, call.value.usage)
  }
  options.signal.throwIfAborted()
  if (pictures.length === 0) throw toGenerationError(failures[0], options.signal)
  return { pictures: pictures.slice(0, decoded.count), usage: usage ?? NO_USAGE, failed: failures.length }
}
