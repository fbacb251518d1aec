/** Growing byte buffers and fast comparison, for the reply decoder. */

export interface ByteBuffer {
  bytes: Uint8Array<ArrayBuffer>
  length: number
}

export function createByteBuffer(): ByteBuffer {
  return { bytes: new Uint8Array(4_096), length: 0 }
}

/** Makes room for `length` bytes in an empty buffer. */
export function reserve(target: ByteBuffer, length: number): void {
  if (length > target.bytes.length) target.bytes = new Uint8Array(length)
}

/** Copies `source[from..to)` to `at`, which is at most the target's length, and cuts the target behind it. */
export function copyInto(target: ByteBuffer, at: number, source: Uint8Array, from: number, to: number): void {
  const length = at + to - from
  if (length > target.bytes.length) {
    const grown = new Uint8Array(Math.max(length, target.bytes.length * 2))
    grown.set(target.bytes.subarray(0, at))
    target.bytes = grown
  }
  target.bytes.set(source.subarray(from, to), at)
  target.length = length
}

/** Reads are copied here first: comparing whole words needs both sides at the same alignment. */
const WINDOW = 65_536
const window = new Uint8Array(WINDOW + 8)
const windowWords = new Int32Array(window.buffer)

/**
 * How many bytes of `next[from..to)` equal `known[at..limit)`, counted from the start. Compares
 * four words at a time; a loop over bytes is several times slower.
 *
 * @param known Starts at offset 0 of its buffer.
 */
export function sharedPrefix(
  known: Uint8Array<ArrayBuffer>,
  at: number,
  limit: number,
  next: Uint8Array,
  from: number,
  to: number,
): number {
  const total = Math.min(limit - at, to - from)
  const words = new Int32Array(known.buffer, 0, known.byteLength >> 2)
  let done = 0
  while (done < total) {
    const size = Math.min(total - done, WINDOW)
    const same = compareWindow(known, words, at + done, next, from + done, size)
    done += same
    if (same < size) break
  }
  return done
}

function compareWindow(
  known: Uint8Array,
  words: Int32Array,
  at: number,
  next: Uint8Array,
  from: number,
  size: number,
): number {
  const shift = at & 3
  const first = Math.min(size, (4 - shift) & 3)
  let position = 0
  while (position < first && known[at + position] === next[from + position]) position++
  if (position < first) return position
  window.set(next.subarray(from + position, from + size))
  let word = 0
  const wordCount = (size - position) >> 2
  const base = (at + position) >> 2
  const blocks = wordCount - (wordCount & 3)
  while (word < blocks) {
    const difference =
      ((words[base + word] as number) ^ (windowWords[word] as number)) |
      ((words[base + word + 1] as number) ^ (windowWords[word + 1] as number)) |
      ((words[base + word + 2] as number) ^ (windowWords[word + 2] as number)) |
      ((words[base + word + 3] as number) ^ (windowWords[word + 3] as number))
    if (difference !== 0) break
    word += 4
  }
  position += word * 4
  while (position < size && known[at + position] === next[from + position]) position++
  return position
}
