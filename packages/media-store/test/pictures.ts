/** The first bytes of a PNG file, and as many more as asked for. */
export function png(sizeBytes: number, fill = 7): Uint8Array {
  const bytes = new Uint8Array(sizeBytes).fill(fill)
  bytes.set(
    [
      0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0, 1, 8,
      2, 0, 0, 0,
    ].slice(0, sizeBytes),
  )
  if (sizeBytes > 60) bytes.set([0, 0, 0, 0, 0, 0, 0, 1, 0x49, 0x44, 0x41, 0x54], 29)
  return bytes
}

/** Hands out bytes in pieces. */
export async function* inPieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += pieceBytes) yield bytes.slice(at, at + pieceBytes)
}

/** A body that breaks off. */
export async function* broken(bytes: Uint8Array, error: Error): AsyncGenerator<Uint8Array> {
  yield* inPieces(bytes, 1_000_000)
  throw error
}

export async function gather(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return new Uint8Array(Buffer.concat(chunks))
}
