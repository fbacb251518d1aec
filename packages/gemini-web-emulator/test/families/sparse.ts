import { list, text } from './plain.ts'

/** Family E: knows that a message may end with an object of field numbers, and reads every field through that. */
export function field(node: unknown, index: number): unknown {
  if (!Array.isArray(node)) return undefined
  const last: unknown = node.at(-1)
  if (typeof last === 'object' && last !== null && !Array.isArray(last) && index >= node.length - 1)
    return (last as Record<string, unknown>)[String(index + 1)]
  return node[index]
}

export const through = (node: unknown, ...path: number[]): unknown =>
  path.reduce<unknown>((value, index) => field(value, index), node)

/** What the small messages and the last candidate of a stream say. Cuts at line feeds. */
export function readSparse(body: string): {
  text: string
  context: unknown
  title: unknown
  video: unknown
  music: unknown
  plan: unknown
  job: unknown
  served: unknown
} {
  const found = {
    text: '',
    context: undefined as unknown,
    title: undefined as unknown,
    video: undefined as unknown,
    music: undefined as unknown,
    plan: undefined as unknown,
    job: undefined as unknown,
    served: undefined as unknown,
  }
  for (const line of body.split('\n')) {
    if (!line.startsWith('[[')) continue
    for (const entry of JSON.parse(line) as unknown[][]) {
      if (entry[0] !== 'wrb.fr' || entry[1] !== null || typeof entry[2] !== 'string') continue
      const message: unknown = JSON.parse(entry[2])
      found.context ??= field(message, 25)
      found.title ??= through(message, 10, 0)
      found.served = field(message, 42) ?? found.served
      const candidate = list(field(message, 4))[0]
      if (candidate === undefined) continue
      found.text = text(candidate, 1, 0)
      found.video = through(candidate, 12, 64, 1) ?? found.video
      found.music = through(candidate, 12, 86, 0, 1, 7, 1) ?? found.music
      found.plan = through(candidate, 12, 55, 0) ?? found.plan
      found.job = through(candidate, 12, 56, 0, 2) ?? found.job
    }
  }
  return found
}
