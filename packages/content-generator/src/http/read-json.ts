import { GenerationError } from '../error.ts'

/**
 * Reads a JSON body with a byte limit, without buffering more than the limit.
 *
 * @throws {GenerationError} `too_large` past the limit, `invalid_request` when it is not JSON.
 */
export async function readJson(request: Request, { maxBytes }: { maxBytes: number }): Promise<unknown> {
  const text = await readText(request, maxBytes)
  if (text.trim() === '') throw new GenerationError('invalid_request', 'The body is empty; send a JSON object.')
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    throw new GenerationError('invalid_request', 'The body is not valid JSON; send a JSON object.')
  }
  // A list would pass for an object without fields.
  if (Array.isArray(body)) {
    throw new GenerationError('invalid_request', 'The body must be a JSON object, not an array.')
  }
  return body
}

/** Where the length is known, the server's own way to text is the shortest; it never hands out more than was announced. */
async function readText(request: Request, maxBytes: number): Promise<string> {
  const announced = Number(request.headers.get('content-length') ?? 0)
  if (announced > maxBytes) throw tooLarge(maxBytes)
  if (announced === 0) return new TextDecoder().decode(await readBody(request, { maxBytes }))
  const text = await request.text()
  if (text.length > maxBytes) throw tooLarge(maxBytes)
  return text
}

/**
 * Reads a body whole, with a byte limit.
 *
 * @throws {GenerationError} `too_large` past the limit.
 */
export async function readBody(request: Request, { maxBytes }: { maxBytes: number }): Promise<Uint8Array> {
  const announced = Number(request.headers.get('content-length') ?? 0)
  if (announced > maxBytes) throw tooLarge(maxBytes)
  // One call instead of a loop where the length is known: the common case.
  if (announced > 0) {
    const bytes = new Uint8Array(await request.arrayBuffer())
    if (bytes.byteLength > maxBytes) throw tooLarge(maxBytes)
    return bytes
  }
  const pieces: Uint8Array[] = []
  let length = 0
  if (request.body !== null) {
    for await (const piece of request.body) {
      length += piece.byteLength
      if (length > maxBytes) throw tooLarge(maxBytes)
      pieces.push(piece)
    }
  }
  const whole = new Uint8Array(length)
  let offset = 0
  for (const piece of pieces) {
    whole.set(piece, offset)
    offset += piece.byteLength
  }
  return whole
}

function tooLarge(maxBytes: number): GenerationError {
  return new GenerationError(
    'too_large',
    `The body is larger than ${maxBytes} bytes. Send large files by URL, or raise the body limit in the configuration.`,
  )
}
