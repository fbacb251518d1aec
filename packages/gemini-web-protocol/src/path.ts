/**
 * Protobuf as JSON arrays: the one way this package reads and writes nested arrays.
 *
 * Field number n sits at index n-1. A message may end with one object whose keys are decimal
 * field numbers and which carries the fields that would need many nulls; it can even be the only
 * element. Both layouts occur for the same field. Source: fact sheet §0.3 [S 2026-09].
 */

/** Positional (`dense`), or with a trailing object keyed by field number (`sparse`). */
export type Layout = 'dense' | 'sparse'

/** A named place inside a nested array; the name is what a drift report shows. */
export interface WirePath {
  readonly name: string
  /** Indices from the outside in (index = field number - 1). */
  readonly at: readonly number[]
}

/** Names a place: `wirePath('CANDIDATE_TEXT', 1, 0)`. */
export function wirePath(name: string, ...at: readonly number[]): WirePath {
  return { name, at }
}

/** A required value is missing or has another type than we know: the upstream changed. */
export class ProtocolDriftError extends Error {
  override readonly name = 'ProtocolDriftError'
  readonly code = 'drift'
  /** Name of the constant that no longer fits, for example `CHAT_LIST_ROWS`. */
  readonly constant: string
  readonly path: readonly number[]
  readonly expected: string
  /** Type of what was found, never its content. */
  readonly found: string

  constructor({
    constant,
    path,
    expected,
    found,
  }: {
    constant: string
    path: readonly number[]
    expected: string
    found: string
  }) {
    super(`${constant} [${path.join('][')}]: expected ${expected}, found ${found}`)
    this.constant = constant
    this.path = path
    this.expected = expected
    this.found = found
  }
}

/** A plain object, as the tail of a sparse message is. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The field at `index` of a message in either layout; undefined when it is not there. */
export function get(node: unknown, index: number): unknown {
  if (!Array.isArray(node)) return undefined
  const last: unknown = node[node.length - 1]
  if (index >= node.length - 1 && isRecord(last)) return last[String(index + 1)]
  return node[index]
}

/** Follows a path through messages of either layout; undefined as soon as a step is missing. */
export function read(node: unknown, path: WirePath | readonly number[]): unknown {
  let value = node
  for (const index of isWirePath(path) ? path.at : path) value = get(value, index)
  return value
}

function isWirePath(path: WirePath | readonly number[]): path is WirePath {
  return !Array.isArray(path)
}

/** The text at `path`, or undefined when something else or nothing is there. */
export function readString(node: unknown, path: WirePath | readonly number[]): string | undefined {
  const value = read(node, path)
  return typeof value === 'string' ? value : undefined
}

/** The number at `path`, or undefined. */
export function readNumber(node: unknown, path: WirePath | readonly number[]): number | undefined {
  const value = read(node, path)
  return typeof value === 'number' ? value : undefined
}

/** The boolean at `path`, or undefined. */
export function readBoolean(node: unknown, path: WirePath | readonly number[]): boolean | undefined {
  const value = read(node, path)
  return typeof value === 'boolean' ? value : undefined
}

/** The array at `path`, or undefined. */
export function readList(node: unknown, path: WirePath | readonly number[]): unknown[] | undefined {
  const value = read(node, path)
  return Array.isArray(value) ? value : undefined
}

/** @throws {ProtocolDriftError} when no text is there. */
export function requireString(node: unknown, path: WirePath): string {
  return readString(node, path) ?? drift(node, path, 'string')
}

/** @throws {ProtocolDriftError} when no number is there. */
export function requireNumber(node: unknown, path: WirePath): number {
  return readNumber(node, path) ?? drift(node, path, 'number')
}

/** @throws {ProtocolDriftError} when no array is there. */
export function requireList(node: unknown, path: WirePath): unknown[] {
  return readList(node, path) ?? drift(node, path, 'array')
}

function drift(node: unknown, path: WirePath, expected: string): never {
  throw new ProtocolDriftError({ constant: path.name, path: path.at, expected, found: typeName(read(node, path)) })
}

/** Name of a value's type for messages: `null` and `array` apart from `object`. */
function typeName(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

export interface WriteSlotsOptions {
  /** Default `dense`. */
  layout?: Layout
  /** Dense: pad with nulls to at least this many elements. */
  length?: number
  /**
   * Sparse: first index that goes into the trailing object. Default: the first one behind a gap
   * of more than six nulls, which is where the recorded replies switch.
   */
  sparseFrom?: number
}

/** Writes a message from its fields by index. Fields that are undefined are left out. */
export function writeSlots(
  slots: Readonly<Record<number, unknown>>,
  { layout = 'dense', length = 0, sparseFrom }: WriteSlotsOptions = {},
): unknown[] {
  const filled = Object.keys(slots)
    .map(Number)
    .filter((index) => slots[index] !== undefined)
    .sort((a, b) => a - b)
  const split = layout === 'dense' ? Infinity : (sparseFrom ?? firstBehindGap(filled))
  const dense = filled.filter((index) => index < split)
  const message: unknown[] = []
  const size = layout === 'dense' ? Math.max(length, (filled.at(-1) ?? -1) + 1) : (dense.at(-1) ?? -1) + 1
  for (let index = 0; index < size; index++)
    message.push(index < split && slots[index] !== undefined ? slots[index] : null)
  const rest = filled.filter((index) => index >= split)
  if (rest.length > 0) message.push(Object.fromEntries(rest.map((index) => [String(index + 1), slots[index]])))
  return message
}

function firstBehindGap(filled: readonly number[]): number {
  let previous = -1
  for (const index of filled) {
    if (index - previous > 7) return index
    previous = index
  }
  return Infinity
}
