import { ProtocolDriftError } from '@castorjs/gemini-web-protocol'
import { GeminiWebError } from './error.ts'

/** Runs a reader of the protocol package and makes its drift ours. */
export function readOrDrift<Value>(read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ProtocolDriftError)) throw error
    throw new GeminiWebError('drift', `The web app answered in a shape that is not known at ${error.constant}`, {
      cause: error,
    })
  }
}
