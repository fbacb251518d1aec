import { GenerationError, rememberRawJson, type GenerateContentResponse } from '@castorjs/content-generator'
import { toGoogleError } from './google-error.ts'
import { createEventReader } from './event-reader.ts'
import { toUpstreamError, type UpstreamErrorContext } from './upstream-error.ts'

export interface ChunkReaderOptions extends UpstreamErrorContext {
  /** Takes the answer out of an envelope, such as Code Assist's. Default: there is none. */
  unwrap?: (event: Record<string, unknown>) => GenerateContentResponse | undefined
}

/** Reads one answer. What comes before a failure is handed out before it is thrown. */
export interface ChunkReader {
  /** Chunks that these bytes complete. @throws {GenerationError} for an error inside the stream; `protocol_drift` for events that are not JSON. */
  push(bytes: Uint8Array): Iterable<GenerateContentResponse>
  /** What is left. @throws {GenerationError} `upstream_unavailable` when there was no finish reason. */
  finish(): Iterable<GenerateContentResponse>
}

/**
 * Reads the body of `streamGenerateContent?alt=sse` as chunks. Each remembers the JSON it came as, unless it was
 * unwrapped. Plain calls instead of a stream: this is the busiest place of the line.
 */
export function createChunkReader({ unwrap, ...context }: ChunkReaderOptions = {}): ChunkReader {
  const events = createEventReader()
  let complete = false

  function read(json: string): GenerateContentResponse | undefined {
    const event = parse(json)
    if (event.error !== undefined) throw toUpstreamError(toGoogleError(500, event), context)
    const chunk = unwrap === undefined ? (event as GenerateContentResponse) : unwrap(event)
    if (chunk === undefined) return undefined
    complete ||= endsAnswer(chunk)
    return unwrap === undefined && !json.includes('\n') ? rememberRawJson(chunk, json) : chunk
  }

  function* readAll(found: readonly string[]): Generator<GenerateContentResponse> {
    for (const json of found) {
      const chunk = read(json)
      if (chunk !== undefined) yield chunk
    }
  }

  return {
    push: (bytes) => readAll(events.push(bytes)),
    *finish() {
      yield* readAll(events.finish())
      if (complete) return
      throw new GenerationError(
        'upstream_unavailable',
        'The upstream closed the stream before the answer was complete. Send the request again.',
      )
    },
  }
}

function endsAnswer({ candidates, promptFeedback }: GenerateContentResponse): boolean {
  if (promptFeedback?.blockReason !== undefined) return true
  return candidates?.some(({ finishReason }) => finishReason !== undefined) === true
}

function parse(json: string): Record<string, unknown> {
  let event: unknown
  try {
    event = JSON.parse(json)
  } catch {
    throw new GenerationError(
      'protocol_drift',
      `The upstream sent an event that is not JSON (${json.length} characters).`,
    )
  }
  if (Array.isArray(event)) event = event[0]
  if (typeof event === 'object' && event !== null) return event as Record<string, unknown>
  throw new GenerationError('protocol_drift', `The upstream sent an event of type ${typeof event}, not an object.`)
}
