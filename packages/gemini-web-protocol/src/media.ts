/**
 * Pictures, video and music inside replies, and the call for an original picture; both directions.
 * Source: fact sheet §8, §9.
 */

import { buildTime, readTime, withoutUndefined } from './fields.ts'
import { get, read, readList, readNumber, readString, wirePath, writeSlots } from './path.ts'

/** Start of the strings that stand for media inside text; never fetched. Source: fact sheet §0.4 [S]. */
export const PLACEHOLDER_BASE = 'http://googleusercontent.com/'

/** A generated picture. Source: fact sheet §8.1 [S]. */
export interface GeneratedImage {
  /** `http://googleusercontent.com/image_generation_content/<n>`: argument of the call for the original, and the mark in the text. */
  imageId: string
  /** Preview; take another size with `imageSizeUrl`. */
  url: string
  /** Also the alt text. */
  fileName?: string
  /** Starts with `$A`. */
  token?: string
  createdMs?: number
  mimeType?: string
  width?: number
  height?: number
  bytes?: number
}

/** Details of a generated picture, inside its item. Shape: see the indices below. Source: fact sheet §8.1 [S]. */
const IMAGE_DETAILS = wirePath('IMAGE_DETAILS', 0, 3)
/** Shape: string. Source: fact sheet §8.1 [S]. */
const IMAGE_ID = wirePath('IMAGE_ID', 1, 0)
/** Alt text of older replies. Shape: string or list of strings. Source: fact sheet §8.1 [W]. */
const IMAGE_OLD_ALT = wirePath('IMAGE_OLD_ALT', 3, 5)

/** Reads one item of the generated pictures; undefined when it holds no real URL. `position` builds a missing id. */
export function readGeneratedImage(item: unknown, position = 0): GeneratedImage | undefined {
  const details = read(item, IMAGE_DETAILS)
  const url = readString(details, [3])
  // A URL on the bare host is a placeholder, not a picture.
  if (url === undefined || /^https?:\/\/googleusercontent\.com\//.test(url)) return undefined
  return {
    imageId: readString(item, IMAGE_ID) ?? `${PLACEHOLDER_BASE}image_generation_content/${position}`,
    url,
    ...withoutUndefined({
      fileName:
        readString(details, [2]) ?? readString(item, IMAGE_OLD_ALT) ?? readString(item, [...IMAGE_OLD_ALT.at, 0]),
      token: readString(details, [5]),
      createdMs: readTime(get(details, 9)),
      mimeType: readString(details, [11]),
      width: readNumber(details, [15, 0]),
      height: readNumber(details, [15, 1]),
      bytes: readNumber(details, [15, 2]),
    }),
  }
}

export function buildGeneratedImage({
  imageId,
  url,
  fileName,
  token,
  createdMs,
  mimeType = 'image/png',
  width,
  height,
  bytes,
}: GeneratedImage): unknown[] {
  const details = writeSlots({
    1: 1,
    2: fileName,
    3: url,
    5: token,
    9: createdMs === undefined ? undefined : buildTime(createdMs),
    11: mimeType,
    15: width === undefined ? undefined : [width, height ?? null, bytes ?? null],
  })
  return [
    [null, null, null, details],
    [imageId, 0],
  ]
}

/** A picture found on the web. Source: fact sheet §4.5 [S]. */
export interface WebImage {
  url: string
  alt?: string
  title?: string
}

export function readWebImage(item: unknown): WebImage | undefined {
  const url = readString(item, [0, 0, 0])
  if (url === undefined) return undefined
  return { url, ...withoutUndefined({ alt: readString(item, [0, 4]), title: readString(item, [7, 0]) }) }
}

export function buildWebImage({ url, alt, title }: WebImage): unknown[] {
  return [[[url], null, null, null, alt ?? null], null, null, null, null, null, null, [title ?? null]]
}

/** Kinds of media files. Source: fact sheet §9.4 [M]. */
export const MEDIA_KINDS = { image: 1, video: 2, audio: 4 } as const

/** A file behind the media host. Source: fact sheet §9.4 [S]. */
export interface MediaFile {
  /** {@link MEDIA_KINDS} */
  kind: number
  /** Download URL. */
  url: string
  fileName?: string
  token?: string
  thumbnailUrl?: string
  previewUrl?: string
  createdMs?: number
  mimeType?: string
  durationMs?: number
  width?: number
  height?: number
}

/** Reads a media tuple; undefined when it names no download. */
export function readMediaFile(tuple: unknown): MediaFile | undefined {
  const urls = readList(tuple, [7])
  const url = readString(urls, [1])
  if (url === undefined) return undefined
  return {
    kind: readNumber(tuple, [1]) ?? 0,
    url,
    ...withoutUndefined({
      fileName: readString(tuple, [2]),
      token: readString(tuple, [5]),
      thumbnailUrl: readString(urls, [0]),
      previewUrl: readString(urls, [2]),
      createdMs: readTime(get(tuple, 9)),
      mimeType: readString(tuple, [11]),
      durationMs: readTime(read(tuple, [17, 0])),
      width: readNumber(tuple, [17, 1]),
      height: readNumber(tuple, [17, 2]),
    }),
  }
}

export function buildMediaFile({
  kind,
  url,
  fileName,
  token,
  thumbnailUrl,
  previewUrl,
  createdMs,
  mimeType,
  durationMs,
  width,
  height,
}: MediaFile): unknown[] {
  const urls = [thumbnailUrl ?? null, url]
  return writeSlots({
    1: kind,
    2: fileName,
    5: token,
    7: previewUrl === undefined ? urls : [...urls, previewUrl],
    8: kind === MEDIA_KINDS.video && durationMs === undefined ? 3 : 2,
    9: createdMs === undefined ? undefined : buildTime(createdMs),
    11: mimeType,
    // Music has no size; its tuples end with an empty list instead. Source: recorded `fragment-music-frame`.
    16: durationMs === undefined ? [[]] : undefined,
    17: durationMs === undefined ? undefined : [buildTime(durationMs), width ?? null, height ?? null],
  })
}

/** Files of the finished video, field 60. Shape: `[[[[tuple]]]]`. Source: fact sheet §9.1 [S 2026-09]. */
const VIDEO_FILES = wirePath('VIDEO_FILES', 0, 0, 0)

/** Reads field 60. Several files may be listed; those whose link cannot be downloaded come last. */
export function readVideos(value: unknown): MediaFile[] {
  const files = (readList(value, VIDEO_FILES) ?? []).map(readMediaFile).filter((file) => file !== undefined)
  return files.sort((a, b) => Number(isTemporaryLink(a.url)) - Number(isTemporaryLink(b.url)))
}

export function buildVideos(files: readonly MediaFile[]): unknown {
  return [[[files.map(buildMediaFile)]]]
}

/** Query parameter `c` is base64; links whose text says `temp_data` answer 403. Source: fact sheet §9.2 [W 2026-09]. */
function isTemporaryLink(url: string): boolean {
  const parameter = /[?&]c=([^&]+)/.exec(url)?.[1]
  if (parameter === undefined) return false
  try {
    const text = atob(decodeURIComponent(parameter).replace(/-/g, '+').replace(/_/g, '/'))
    return text.includes('temp_data') && !text.includes('response_data')
  } catch {
    return false
  }
}

/** A generated piece of music. Source: fact sheet §9.3 [M 2026-09]. */
export interface Music {
  /** mp3 */
  audio?: MediaFile
  /** mp4 */
  clip?: MediaFile
  /** vtt */
  captionsUrl?: string
  title?: string
  artist?: string
  genre?: string
  moods: string[]
}

/** Reads field 87; undefined when it holds no file. */
export function readMusic(value: unknown): Music | undefined {
  const audio = readMediaFile(read(value, [0, 1]))
  const clip = readMediaFile(read(value, [1, 1]))
  if (audio === undefined && clip === undefined) return undefined
  const about = get(value, 2)
  return {
    moods: (readList(about, [5]) ?? []).filter((mood) => typeof mood === 'string'),
    ...withoutUndefined({
      audio,
      clip,
      captionsUrl: readString(value, [1, 3, 7, 1]),
      title: readString(about, [0]),
      artist: readString(about, [2]),
      genre: readString(about, [4]),
    }),
  }
}

export function buildMusic({ audio, clip, captionsUrl, title, artist, genre, moods }: Music): unknown[] {
  const captions = captionsUrl === undefined ? [] : [null, writeSlots({ 7: [clip?.thumbnailUrl ?? null, captionsUrl] })]
  return [
    audio === undefined ? null : [null, buildMediaFile(audio)],
    clip === undefined ? null : [null, buildMediaFile(clip), ...captions],
    [title ?? null, null, artist ?? null, null, genre ?? null, moods],
  ]
}

/** The turn a picture belongs to. Source: fact sheet §8.3 [M 2026-08]. */
export interface OriginalImageRequest {
  imageId: string
  chatId: string
  responseId: string
  candidateId: string
}

/** Payload of `c8o8Fe`. The ids come in the order rid, rcid, cid. */
export function originalImagePayload({ imageId, chatId, responseId, candidateId }: OriginalImageRequest): unknown[] {
  const picture = [null, null, null, [null, null, null, null, null, '']]
  return [
    [picture, [imageId, 0], null, [19, ''], null, null, null, null, null, ''],
    [responseId, candidateId, chatId, null, ''],
    1,
    0,
    1,
  ]
}

export function readOriginalImagePayload(payload: unknown): OriginalImageRequest | undefined {
  // One client sends the first argument nested once more.
  const imageId = readString(payload, [0, 1, 0]) ?? readString(payload, [0, 0, 1, 0])
  const responseId = readString(payload, [1, 0])
  const candidateId = readString(payload, [1, 1])
  const chatId = readString(payload, [1, 2])
  if (imageId === undefined || responseId === undefined || candidateId === undefined || chatId === undefined)
    return undefined
  return { imageId, chatId, responseId, candidateId }
}

/** Base URL of an original picture. Shape: string. Source: fact sheet §8.3 [M]. */
const ORIGINAL_IMAGE_URL = wirePath('ORIGINAL_IMAGE_URL', 0)

export function readOriginalImageUrl(payload: unknown): string | undefined {
  return readString(payload, ORIGINAL_IMAGE_URL)
}

export function buildOriginalImageUrl(url: string): unknown[] {
  return [url]
}

/** Payload of `Pty9pd`. Source: fact sheet §6.2 [W]. */
export function expandMediaPromptPayload(prompt: string): unknown[] {
  return [prompt, null, null, 1]
}

/** The three variations of a media prompt. */
export function readExpandedMediaPrompts(payload: unknown): string[] {
  return (readList(payload, [0]) ?? []).map((row) => readString(row, [0])).filter((text) => text !== undefined)
}

export function buildExpandedMediaPrompts(texts: readonly string[]): unknown[] {
  return [texts.map((text) => [text])]
}
