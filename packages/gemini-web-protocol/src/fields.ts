/** The same object without its undefined fields: what was not on the wire is not in the value either. */
export function withoutUndefined<Fields extends object>(
  fields: Fields,
): { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> } {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(present) as { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> }
}

/** A `[seconds, nanos]` pair as milliseconds since 1970; undefined when it is none. */
export function readTime(pair: unknown): number | undefined {
  if (!Array.isArray(pair) || typeof pair[0] !== 'number') return undefined
  const nanos: unknown = pair[1]
  return pair[0] * 1_000 + Math.floor((typeof nanos === 'number' ? nanos : 0) / 1_000_000)
}

/** Milliseconds as the `[seconds, nanos]` pair of the wire. */
export function buildTime(ms: number): [number, number] {
  const seconds = Math.floor(ms / 1_000)
  return [seconds, Math.round(ms - seconds * 1_000) * 1_000_000]
}
