/** The sizes at which every decoder must give the same result as on the whole. */
export const CUT_SIZES = [1, 2, 7, 64] as const

/** Text cut into pieces of `size` UTF-16 code units, so that surrogate pairs are cut too. */
export function cutText(text: string, size: number): string[] {
  const pieces: string[] = []
  for (let start = 0; start < text.length; start += size) pieces.push(text.slice(start, start + size))
  return pieces
}

/** Bytes cut into pieces of `size`, so that characters are cut too. */
export function cutBytes(bytes: Uint8Array, size: number): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let start = 0; start < bytes.length; start += size) pieces.push(bytes.subarray(start, start + size))
  return pieces
}

/** A stream of given pieces. */
export async function* streamOf<Piece>(pieces: Iterable<Piece>): AsyncGenerator<Piece> {
  for (const piece of pieces) {
    // A turn of the event loop between pieces, as a network has.
    await new Promise((resolve) => setImmediate(resolve))
    yield piece
  }
}
