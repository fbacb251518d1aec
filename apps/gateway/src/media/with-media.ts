import {
  type ContentGenerator,
  type GenerateContentResponse,
  type GenerateOptions,
  type MediaOptions,
  type Part,
} from '@castorjs/content-generator'
import type { PicturePlan } from './picture.ts'
import type { PicturePool } from './picture-pool.ts'

/** Keeps bytes for a while and returns the URL to fetch them from, under `origin` unless the operator set another. */
type KeepMedia = (bytes: Uint8Array, mimeType: string, origin: string | undefined) => Promise<string>

export interface WithMediaOptions {
  pictures: Pick<PicturePool, 'process'>
  /** Stores the bytes and returns the URL callers fetch them from. */
  keep: KeepMedia
  /** The file could not be kept; the bytes were sent inside the answer instead. */
  onKeepFailed?: (error: unknown) => void
}

/**
 * Does what the caller wants with pictures and clips on their way out: visible mark, exact size, file format, URL
 * instead of bytes. Nothing is lost: what cannot be worked on or kept is sent as it came, with a warning.
 */
export function withMedia(
  upstream: ContentGenerator,
  { pictures, keep, onKeepFailed }: WithMediaOptions,
): ContentGenerator {
  async function rework(part: Part, media: MediaOptions, options: GenerateOptions): Promise<Part> {
    if (part.inlineData === undefined) return part
    let { mimeType, data } = part.inlineData
    const plan = planFor(media)
    const warn = (setting: string, message: string): void => options.onWarning?.({ setting, message })
    if (plan !== undefined && mimeType.startsWith('image/')) {
      try {
        const result = await pictures.process(Buffer.from(data, 'base64'), plan, options.signal)
        mimeType = result.mimeType
        data = Buffer.from(result.bytes.buffer, result.bytes.byteOffset, result.bytes.byteLength).toString('base64')
        for (const [index, note] of result.notes.entries()) warn(`media[${index}]`, note)
      } catch (error) {
        if (!(error instanceof Error) || error.name !== 'PictureError') throw error
        warn('media', error.message)
      }
    }
    if (media.delivery === 'url') {
      try {
        const fileUri = await keep(Buffer.from(data, 'base64'), mimeType, options.origin)
        const { inlineData: _, ...rest } = part
        return { ...rest, fileData: { fileUri, mimeType } }
      } catch (error) {
        onKeepFailed?.(error)
        warn(
          'media.delivery',
          'The media store did not take the file, so it is inside the answer instead of behind a URL.',
        )
      }
    }
    return { ...part, inlineData: { ...part.inlineData, mimeType, data } }
  }

  return {
    ...upstream,
    async *generateContentStream(request, options) {
      const { media } = options
      if (media === undefined) {
        yield* upstream.generateContentStream(request, options)
        return
      }
      const wanted = wantsLarger(media) ? { ...options, media: { ...media, original: true } } : options
      for await (const chunk of upstream.generateContentStream(request, wanted)) {
        yield hasBytes(chunk) ? await reworkChunk(chunk, (part) => rework(part, media, options)) : chunk
      }
    },
  }
}

/** The web app's preview has about this many pixels on its long side; anything larger needs the original. */
const PREVIEW_SIDE = 1_024

function wantsLarger({ size, original }: MediaOptions): boolean {
  return original !== false && size !== undefined && Math.max(size.width, size.height) > PREVIEW_SIDE
}

function planFor({ removeVisibleMark, size, format }: MediaOptions): PicturePlan | undefined {
  const known = format === 'png' || format === 'jpeg' ? format : undefined
  if (removeVisibleMark !== true && size === undefined && known === undefined) return undefined
  return {
    ...(removeVisibleMark === undefined ? {} : { removeVisibleMark }),
    ...(size === undefined ? {} : { size }),
    ...(known === undefined ? {} : { format: known }),
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
