import { GenerationError, isGenerationError, toGenerationError } from '@castorjs/content-generator'
import { isTransportError } from '@castorjs/http-transport'

/** What the wire threw, in our words: an abort stays one, a broken connection is the upstream's fault, a proxy its own. */
export function toWireError(error: unknown, signal: AbortSignal): GenerationError {
  if (isGenerationError(error)) return error
  if (signal.aborted) return toGenerationError(error, signal)
  if (isTransportError(error)) {
    const upstreamCode = error.systemCode ?? error.code
    if (error.code === 'proxy') {
      // Its owner restarts it in a moment: nobody refused this address.
      return new GenerationError(
        'upstream_unavailable',
        'The proxy to the upstream cannot be used. Check it, or send the request again.',
        { cause: error, upstreamCode, fault: 'egress' },
      )
    }
    return new GenerationError(
      'upstream_unavailable',
      'The connection to the upstream broke. Send the request again.',
      { cause: error, upstreamCode },
    )
  }
  if (error instanceof SyntaxError) {
    return new GenerationError('protocol_drift', 'The upstream answered with something that is not JSON.', {
      cause: error,
    })
  }
  return toGenerationError(error, signal)
}
