import { ProtocolDriftError } from '@castorjs/gemini-web-protocol'
import { GeminiWebError } from './error.ts'

/** A shape of the web app that is not as we know it. Holds types and names, never content. */
export interface Drift {
  /** Name of the constant that no longer fits. */
  constant: string
  /** Where in the reply. */
  path: readonly number[]
  expected: string
  found: string
  /** How often it was seen by this client. */
  count: number
}

/** Every drift a client has met, by name and place. */
export interface DriftLog {
  /**
   * Runs a reader of the protocol package.
   * @throws {GeminiWebError} `drift`, with the original as its cause.
   */
  read<Value>(reader: () => Value): Value
  note(drift: Omit<Drift, 'count'>): void
  list(): Drift[]
}

export function createDriftLog(): DriftLog {
  const known = new Map<string, Drift>()

  function note({ constant, path, expected, found }: Omit<Drift, 'count'>): void {
    const id = `${constant} ${path.join('.')} ${found}`
    const drift = known.get(id)
    if (drift === undefined) known.set(id, { constant, path, expected, found, count: 1 })
    else drift.count++
  }

  return {
    note,
    read(reader) {
      try {
        return reader()
      } catch (error) {
        if (!(error instanceof ProtocolDriftError)) throw error
        note(error)
        throw new GeminiWebError('drift', `The web app answered in a shape that is not known at ${error.constant}`, {
          cause: error,
        })
      }
    },
    list: () => [...known.values()].map((drift) => ({ ...drift })),
  }
}
