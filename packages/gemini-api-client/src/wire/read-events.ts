import { GenerationError } from '@castorjs/content-generator'
import { createParser } from 'eventsource-parser'

/** Longest event, in characters. A 4K picture as base64 is about 30 million. */
const MAX_EVENT_LENGTH = 256_000_000

/**
 * Reads server-sent events: the data of each, in order. A last event without an empty line behind it counts too.
 *
 * @throws {GenerationError} `protocol_drift` when an event grows past the limit.
 */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let events: string[] = []
  let overflow = false
  const parser = createParser({
    maxBufferSize: MAX_EVENT_LENGTH,
    onEvent: ({ data }) => events.push(data),
    onError: ({ type }) => (overflow ||= type === 'max-buffer-size-exceeded'),
  })

  function take(text: string): string[] {
    events = []
    parser.feed(text)
    if (!overflow) return events
    throw new GenerationError(
      'protocol_drift',
      `The upstream sent an event longer than ${MAX_EVENT_LENGTH} characters.`,
    )
  }

  for await (const bytes of body) yield* take(decoder.decode(bytes, { stream: true }))
  yield* take(`${decoder.decode()}\n\n`)
}
