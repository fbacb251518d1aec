import { move, transferableSymbol, valueSymbol } from 'piscina'
import type { PictureJob, PictureOutcome } from './picture-job.ts'
import { processPicture } from './picture.ts'
import { removeMark } from './remove-mark.ts'

/** One picture, in a thread of its own. What it gives is handed over, not copied. */
export default async function work(job: PictureJob): Promise<unknown> {
  const outcome = await run(job)
  const { bytes } = outcome
  return bytes === undefined ? outcome : move({ [transferableSymbol]: [bytes.buffer], [valueSymbol]: outcome })
}

async function run({ file, plan, base64 }: PictureJob): Promise<PictureOutcome> {
  try {
    const result = plan === undefined ? { bytes: file, notes: [] } : await processPicture(file, plan, removeMark)
    const unchanged = result.bytes === file
    if (base64) return { ...result, bytes: toBase64(result.bytes) }
    // The sender has it already.
    if (unchanged) return { ...result, bytes: undefined }
    return { ...result, bytes: own(result.bytes) }
  } catch (error) {
    const known = error instanceof Error && error.name === 'PictureError'
    const note = known ? error.message : 'The picture is damaged or of an unknown kind, so it was left as it is.'
    return { notes: [note], bytes: base64 ? toBase64(file) : undefined }
  }
}

/** Base64 as ASCII bytes: a text would be copied on its way to the other thread. */
function toBase64(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  const ascii = new Uint8Array(text.length)
  new TextEncoder().encodeInto(text, ascii)
  return ascii
}

/** Bytes with a buffer of their own, which may be handed over. */
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength
    ? new Uint8Array(buffer)
    : bytes.slice()
}
