import { GenerationError } from '@castorjs/content-generator'
import { createParser } from 'eventsource-parser'

/** Longest event, in characters. A 4K picture as base64 is about 30 million. */
const MAX_EVENT_LENGTH = 256_000_000

/** Splits bytes of server-sent events into the data of each. */
export interface EventReader {
  /** @throws {GenerationError} `protocol_drift` when an event grows past the limit. */
  push(bytes: Uint8Array): string[]
  /** A last event without an empty line behind it counts too. */
  finish(): string[]
}

export function createEventReader(): EventReader {
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

  return {
    push: (bytes) => take(decoder.decode(bytes, { stream: true })),
    finish: () => take(`${decoder.decode()}\n\n`),
  }
}
