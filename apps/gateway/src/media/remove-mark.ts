import { isWatermarkError, type NotFoundReason } from '@castorjs/watermark'
import { removeFromJpeg } from '@castorjs/watermark/jpeg'
import { isPng, removeFromPng } from '@castorjs/watermark/png'
import type { RemoveMark } from './picture.ts'

const REASONS: Record<NotFoundReason, string> = {
  too_small: 'the picture is too small to carry one',
  refuted: 'there is none at any of the known places',
  no_outline: 'there is none at any of the known places',
  unsure: 'what is there may be a part of the picture',
}

/** Takes the visible mark off a PNG or JPEG; a file it cannot work on comes back as it is, with the reason. */
export const removeMark: RemoveMark = async (bytes) => {
  try {
    const { bytes: result, changed, reason } = isPng(bytes) ? removeFromPng(bytes) : removeFromJpeg(bytes)
    return { bytes: result, changed, ...(reason === undefined ? {} : { reason: REASONS[reason] }) }
  } catch (error) {
    if (!isWatermarkError(error)) throw error
    return { bytes, changed: false, reason: error.message.replace(/\.$/, '') }
  }
}
