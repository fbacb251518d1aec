import { GenerationError, rememberRawJson, type GenerateContentResponse } from '@castorjs/content-generator'
import { toGoogleError } from './google-error.ts'
import { readEvents } from './read-events.ts'
import { toUpstreamError, type UpstreamErrorContext } from './upstream-error.ts'

export interface ReadChunksOptions extends UpstreamErrorContext {
  /** Takes the answer out of an envelope, such as Code Assist's. Default: there is none. */
  unwrap?: (event: Record<string, unknown>) => GenerateContentResponse | undefined
}

/**
 * Reads the body of `streamGenerateContent?alt=sse` as chunks. Each remembers the JSON it came as, unless it was
 * unwrapped.
 *
 * @throws {GenerationError} for an error inside the stream; `protocol_drift` for events that are not JSON;
 * `upstream_unavailable` for a stream that ends without a finish reason.
 */
export async function* readChunks(
  body: AsyncIterable<Uint8Array>,
  { unwrap, ...context }: ReadChunksOptions = {},
): AsyncGenerator<GenerateContentResponse> {
  let complete = false

  function read(json: string): GenerateContentResponse | undefined {
    const event = parse(json)
    if (event.error !== undefined) throw toUpstreamError(toGoogleError(500, event), context)
    const chunk = unwrap === undefined ? (event as GenerateContentResponse) : unwrap(event)
    if (chunk === undefined) return undefined
    const finished = chunk.candidates?.some(({ finishReason }) => finishReason !== undefined) === true
    complete ||= finished || chunk.promptFeedback?.blockReason !== undefined
    return unwrap === undefined && !json.includes('\n') ? rememberRawJson(chunk, json) : chunk
  }

  for await (const json of readEvents(body)) {
    const chunk = read(json)
    if (chunk !== undefined) yield chunk
  }
  if (!complete) {
    throw new GenerationError(
      'upstream_unavailable',
      'The upstream closed the stream before the answer was complete. Send the request again.',
    )
  }
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
