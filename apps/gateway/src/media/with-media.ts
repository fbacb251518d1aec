import {
  inlineBytes,
  isGenerationError,
  mapValues,
  readInlineBytes,
  type ContentGenerator,
  type GenerateContentResponse,
  type GenerateOptions,
  type MediaOptions,
  type Part,
} from '@castorjs/content-generator'
import type { PictureOutcome } from './picture-job.ts'
import type { PicturePlan } from './picture.ts'
import type { PicturePool } from './picture-pool.ts'
import { wantedPixels } from './wanted-pixels.ts'

/** Keeps bytes for a while and returns the URL to fetch them from, under `origin` unless the operator set another. */
type KeepMedia = (bytes: Uint8Array, mimeType: string, options: KeepOptions) => Promise<string>

interface KeepOptions {
  origin: string | undefined
  signal: AbortSignal
}

export interface WithMediaOptions {
  pictures: Pick<PicturePool, 'process'>
  /** Stores the bytes and returns the URL callers fetch them from. */
  keep: KeepMedia
  /** The file could not be kept; the bytes were sent inside the answer instead. */
  onKeepFailed?: (error: unknown) => void
  /** A picture could not be worked on and is sent as it came. */
  onWorkFailed?: (error: unknown) => void
}

/**
 * Does what the caller wants with pictures and clips on their way out: visible mark, exact size, file format, URL
 * instead of bytes. Nothing is lost: what cannot be worked on or kept is sent as it came, with a warning.
 */
export function withMedia(
  upstream: ContentGenerator,
  { pictures, keep, onKeepFailed, onWorkFailed }: WithMediaOptions,
): ContentGenerator {
  async function rework(part: Part, wishes: Wishes, options: GenerateOptions): Promise<Part> {
    if (part.inlineData === undefined) return part
    let { mimeType } = part.inlineData
    let bytes = readInlineBytes(part.inlineData)
    const byUrl = wishes.delivery === 'url'
    const plan = mimeType.startsWith('image/') ? wishes.plan : undefined
    const warn = (setting: string, message: string): void => options.onWarning?.({ setting, message })
    const base64 = !byUrl && bytes.byteLength > INLINE_WORK_BYTES
    let text: string | undefined
    if (plan !== undefined || base64) {
      const job = { file: bytes, base64, ...(plan === undefined ? {} : { plan }) }
      const done: PictureOutcome = await pictures.process(job, options.signal).catch((error: unknown) => {
        if (isGenerationError(error) || options.signal.aborted) throw error
        onWorkFailed?.(error)
        return { bytes: undefined, notes: ['The picture could not be worked on, so it is sent as it came.'] }
      })
      mimeType = done.mimeType ?? mimeType
      if (done.bytes !== undefined && base64) text = Buffer.from(done.bytes.buffer).toString('latin1')
      else bytes = done.bytes ?? bytes
      for (const [index, note] of done.notes.entries()) warn(`media[${index}]`, note)
    }
    if (byUrl) {
      try {
        const fileUri = await keep(bytes, mimeType, { origin: options.origin, signal: options.signal })
        const { inlineData: _, ...rest } = part
        return { ...rest, fileData: { fileUri, mimeType } }
      } catch (error) {
        options.signal.throwIfAborted()
        onKeepFailed?.(error)
        warn(
          'media.delivery',
          'The media store did not take the file, so it is inside the answer instead of behind a URL.',
        )
      }
    }
    return { ...part, inlineData: text === undefined ? inlineBytes(bytes, mimeType) : { mimeType, data: text } }
  }

  return {
    ...upstream,
    generateContentStream(request, options) {
      const wishes = readWishes(options.media, wantedPixels(request.model))
      const wanted = wishes.larger ? { ...options, media: { ...options.media, original: true } } : options
      return mapValues(upstream.generateContentStream(request, wanted), (chunk) => {
        if (!hasBytes(chunk)) return chunk
        if (wishes.format !== undefined) {
          const message = `Pictures are not written as ${wishes.format} here, only as png and jpeg; it is sent as it came.`
          options.onWarning?.({ setting: 'media.format', message })
        }
        return reworkChunk(chunk, (part) => rework(part, wishes, options))
      })
    },
  }
}

/** Base64 of a file up to this size is made on the spot, in about a millisecond. */
const INLINE_WORK_BYTES = 262_144

/** The web app's preview has about this many pixels on its long side; anything larger needs the original. */
const PREVIEW_SIDE = 1_024

interface Wishes {
  plan?: PicturePlan
  delivery: 'inline' | 'url'
  /** The original is needed for the size wanted. */
  larger: boolean
  /** A file format that cannot be written. */
  format?: string
}

function readWishes(media: MediaOptions = {}, atLeast: number | undefined): Wishes {
  const { removeVisibleMark, size, original, format, delivery = 'inline' } = media
  const known = format === 'png' || format === 'jpeg' ? format : undefined
  const plan: PicturePlan = {
    ...(removeVisibleMark === true ? { removeVisibleMark } : {}),
    ...(size === undefined ? {} : { size }),
    ...(atLeast === undefined || original === false ? {} : { atLeast }),
    ...(known === undefined ? {} : { format: known }),
  }
  const side = size === undefined ? atLeast : Math.max(size.width, size.height)
  return {
    delivery,
    larger: original !== false && side !== undefined && side > PREVIEW_SIDE,
    ...(Object.keys(plan).length === 0 ? {} : { plan }),
    ...(format === undefined || known !== undefined ? {} : { format: /^\w{1,10}$/.test(format) ? format : 'that' }),
  }
}

function hasBytes(chunk: GenerateContentResponse): boolean {
  return chunk.candidates?.some(({ content }) => content?.parts?.some((part) => part.inlineData !== undefined)) ?? false
}

async function reworkChunk(
  chunk: GenerateContentResponse,
  rework: (part: Part) => Promise<Part>,
): Promise<GenerateContentResponse> {
  const candidates = []
  for (const candidate of chunk.candidates ?? []) {
    const parts = []
    for (const part of candidate.content?.parts ?? []) parts.push(await rework(part))
    candidates.push({ ...candidate, content: { ...candidate.content, parts } })
  }
  return { ...chunk, candidates }
}
