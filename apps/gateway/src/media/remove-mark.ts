import { isWatermarkError } from '@castorjs/watermark'
import { removeFromJpeg } from '@castorjs/watermark/jpeg'
import { isPng, removeFromPng } from '@castorjs/watermark/png'
import type { RemoveMark } from './picture.ts'

/** Takes the visible mark off a PNG or JPEG; a file it cannot work on comes back as it is, with the reason. */
export const removeMark: RemoveMark = async (bytes) => {
  try {
    const { bytes: result, changed, reason } = isPng(bytes) ? removeFromPng(bytes) : removeFromJpeg(bytes)
    return { bytes: result, changed, ...(reason === undefined ? {} : { reason }) }
  } catch (error) {
    if (!isWatermarkError(error)) throw error
    return { bytes, changed: false, reason: error.message.replace(/\.$/, '') }
  }
}
