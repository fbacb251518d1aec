import { transferableSymbol, valueSymbol } from 'piscina'
import { processPicture, type PicturePlan } from './picture.ts'
import { removeMark } from './remove-mark.ts'

/** One picture, in a thread of its own. The result's bytes are handed over, not copied. */
export default async function work({ file, plan }: { file: Uint8Array; plan: PicturePlan }): Promise<object> {
  const result = await processPicture(file, plan, removeMark)
  const bytes = new Uint8Array(result.bytes)
  return { [transferableSymbol]: [bytes.buffer], [valueSymbol]: { ...result, bytes } }
}
