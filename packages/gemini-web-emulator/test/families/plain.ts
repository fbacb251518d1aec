/**
 * What the client families share: plain arrays, plain positions, nothing of ours. Written from the
 * protocol notes alone; it must not import the protocol package, or it could not judge it.
 */

/** The value at a chain of positions or keys; undefined as soon as one is missing. */
export function at(node: unknown, ...path: Array<number | string>): unknown {
  let value = node
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<string | number, unknown>)[step]
  }
  return value
}

export const text = (node: unknown, ...path: Array<number | string>): string => {
  const value = at(node, ...path)
  return typeof value === 'string' ? value : ''
}

export const list = (node: unknown, ...path: Array<number | string>): unknown[] => {
  const value = at(node, ...path)
  return Array.isArray(value) ? value : []
}

/** Maps Google's hosts to an emulator on a port. */
export function mapper(base: string): (url: string) => string {
  return (url) => {
    const { host, pathname, search, origin } = new URL(url)
    return origin === base ? url : `${base}/${host}${pathname}${search}`
  }
}

/** Frames by their length in UTF-16 units, as one family cuts them; returns the entries. */
export function entriesByLength(body: string): unknown[][] {
  if (!body.startsWith(")]}'")) throw new Error('no prefix')
  const entries: unknown[][] = []
  let position = 4
  while (position < body.length) {
    while (/\s/.test(body[position] ?? '')) position++
    if (position >= body.length) break
    const digits = /^\d+(?=\n)/.exec(body.slice(position, position + 12))?.[0]
    if (digits === undefined) throw new Error(`no length at ${position}`)
    const start = position + digits.length
    const end = start + Number(digits)
    entries.push(...(JSON.parse(body.slice(start, end)) as unknown[][]))
    position = end
  }
  return entries
}

/** Result of one RPC in a batch body, by id. */
export function rpcResult(body: string, id: string): unknown {
  const entry = entriesByLength(body).find((each) => each[0] === 'wrb.fr' && each[1] === id)
  if (entry === undefined) throw new Error(`no result of ${id}`)
  // Any number at index 5 is a rejection for this family.
  if (list(entry, 5).length > 0) throw new Error(`rejected with ${JSON.stringify(entry[5])}`)
  return JSON.parse(text(entry, 2) || 'null')
}
