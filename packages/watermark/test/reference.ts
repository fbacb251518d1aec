import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Measured facts that live beside the repository and are never copied into it. */
export const FACTS = join(import.meta.dirname, '../../../../shared/watermark')

/** Why tests against them are skipped, or undefined when they can run. */
export const NO_FACTS = existsSync(join(FACTS, 'alpha-reference.json'))
  ? undefined
  : `no measured reference at ${FACTS}; these tests only run beside it`
if (NO_FACTS !== undefined) console.log(`watermark: skipped: ${NO_FACTS}`)

export function readFact(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(FACTS, name)))
}

export function readJsonFact<T>(name: string, check: (value: unknown) => value is T): T {
  const value: unknown = JSON.parse(readFileSync(join(FACTS, name), 'utf8'))
  if (!check(value)) throw new Error(`${name} has an unexpected shape`)
  return value
}
