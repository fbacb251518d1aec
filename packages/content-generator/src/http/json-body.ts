/** Characters from which on a text is written in pieces. */
const LONG = 524_288
/** Characters of one piece: about a millisecond of work. */
const PIECE = 131_072
const PIECES_AT_A_TIME = 8
/** Nothing that JSON escapes: true of base64. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

/**
 * A value as the body of a JSON answer. One that holds long texts, such as pictures in base64, is written piece by
 * piece as it is read: `JSON.stringify` of 40 MB would hold everybody else up for half a second.
 */
export function jsonBody(value: unknown): string | ReadableStream<Uint8Array<ArrayBuffer>> {
  if (!holdsLongText(value)) return JSON.stringify(value)
  const pieces = jsonPieces(value)
  const encoder = new TextEncoder()
  let written = 0
  return new ReadableStream({
    async pull(controller) {
      // A fast reader never lets go of the thread by itself.
      if (++written % PIECES_AT_A_TIME === 0) await new Promise((resolve) => setTimeout(resolve))
      const next = pieces.next()
      if (next.done === true) controller.close()
      else controller.enqueue(encoder.encode(next.value))
    },
  })
}

function holdsLongText(value: unknown): boolean {
  if (typeof value === 'string') return value.length >= LONG
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some(holdsLongText)
  for (const field in value) if (holdsLongText((value as Record<string, unknown>)[field])) return true
  return false
}

function* jsonPieces(value: unknown): Generator<string> {
  const mark = crypto.randomUUID()
  const long: string[] = []
  const frame = JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== 'string' || inner.length < LONG) return inner
    long.push(inner)
    return mark
  })
  for (const [index, between] of frame.split(`"${mark}"`).entries()) {
    if (index > 0) {
      const text = long[index - 1] ?? ''
      yield '"'
      // A pair of surrogates that is cut is written as two escapes, which read as the same character.
      for (let start = 0; start < text.length; start += PIECE) {
        const piece = text.slice(start, start + PIECE)
        yield PLAIN.test(piece) ? piece : JSON.stringify(piece).slice(1, -1)
      }
      yield '"'
    }
    yield between
  }
}
