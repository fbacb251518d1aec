import { TransportError } from './error.ts'

/** Error for a body over its limit, naming the limit. */
export function bodyTooLarge(maxBytes: number): TransportError {
  return new TransportError('too_large', `The reply is longer than the limit of ${maxBytes} bytes`)
}

/**
 * Reads a body to its end into one array.
 *
 * @throws {TransportError} `too_large`, after leaving the loop so that the socket is free.
 */
export async function readBytes(body: AsyncIterable<Uint8Array>, maxBytes = Infinity): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > maxBytes) throw bodyTooLarge(maxBytes)
    chunks.push(chunk)
  }
  return joinChunks(chunks, size)
}

/** One array out of many; a single chunk is handed on as it is. */
export function joinChunks(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const [first] = chunks
  if (first !== undefined && chunks.length === 1) return first
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.byteLength
  }
  return bytes
}

/** JSON.parse whose error does not quote the text, because replies may hold secrets. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new SyntaxError(`The reply is not JSON (${text.length} characters)`)
  }
}
