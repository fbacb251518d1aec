import {
  chatSourcePath,
  downloadHeaders,
  imageSizeUrl,
  isDownloadHost,
  MAX_DOWNLOAD_HOPS,
  mediaDownloadUrl,
  originalImagePayload,
  originalImageStartUrl,
  readHopUrl,
  readMediaReply,
  readOriginalImageUrl,
  readVideoEnvelope,
  RPC,
  type Candidate,
  type GeneratedImage,
  type MediaFile,
  type Music,
} from '@castorjs/gemini-web-protocol'
import { isTransportError, type TransportResponse } from '@castorjs/http-transport'
import type { Batch } from './batch-execute.ts'
import { GeminiWebError, isGeminiWebError } from './error.ts'
import { detectType, SAMPLE_BYTES } from './file-type.ts'
import type { WebReply } from './reply.ts'
import type { Session } from './session.ts'
import { readText, toWireError } from './wire.ts'
import { sleep, within } from './within.ts'

export interface DownloadOptions {
  signal?: AbortSignal
  /** Default 67 108 864. */
  maxBytes?: number
}

export interface ImageOptions extends DownloadOptions {
  /** `original` asks for the full-size file, and falls back to the stored size. Default `preview`. */
  size?: 'preview' | 'original'
}

/** A file that was downloaded. */
export interface DownloadedMedia {
  data: Uint8Array
  /** Told from the bytes. */
  mimeType: string
}

export interface DownloadedImage extends DownloadedMedia {
  /** False when the original was asked for and only the stored size came. */
  original: boolean
}

/** Where a video or a piece of music stands. */
export type MediaStatus = { state: 'pending'; waitedMs: number } | { state: 'done'; videos: MediaFile[]; music?: Music }

export interface MediaDownloads {
  /** Any picture, video or music URL of a reply, through all its hops. */
  download(url: string, options?: DownloadOptions): Promise<DownloadedMedia>
  /** A generated picture. `reply` gives the ids that an original needs. */
  image(image: GeneratedImage, reply: Pick<WebReply, 'chat'>, options?: ImageOptions): Promise<DownloadedImage>
  /** A video or music file. */
  file(file: MediaFile, options?: DownloadOptions): Promise<DownloadedMedia>
  /** Looks until the video or the music of a reply is there; one `pending` per look. @throws {GeminiWebError} `media_not_ready` */
  watch(reply: WebReply, options?: { signal?: AbortSignal }): AsyncGenerator<MediaStatus>
}

export interface MediaPorts {
  session: Session
  batch: Batch
  userAgent: string
  accountIndex?: number
  closed: AbortSignal
  /** Time limit of one hop. */
  hopMs: number
  readNewest: (chatId: string, responseId: string | undefined, signal?: AbortSignal) => Promise<Candidate | undefined>
  polling: MediaPolling
}

/** Pauses and limits of waiting for media, in milliseconds. */
export interface MediaPolling {
  /** Between two looks for a video. Default 8 000. */
  videoMs: number
  /** Default 2 000. */
  musicMs: number
  /** A file that is not ready yet. Default 10 000. */
  notReadyMs: number
  /** Longest wait altogether. Default 360 000. */
  totalMs: number
}

const MAX_BYTES = 67_108_864
const PREVIEW = 's1024-rj'
const AS_STORED = 's0'

export function createMediaDownloads(ports: MediaPorts): MediaDownloads {
  const { session, batch, userAgent, accountIndex, closed, hopMs, polling } = ports

  async function download(
    start: string,
    { signal, maxBytes = MAX_BYTES }: DownloadOptions = {},
  ): Promise<DownloadedMedia> {
    const begun = performance.now()
    for (;;) {
      const file = await walk(start, maxBytes, signal)
      if (file !== undefined) return file
      if (performance.now() - begun + polling.notReadyMs > polling.totalMs) {
        throw new GeminiWebError('media_not_ready', 'The file was still not ready when the time was over')
      }
      await sleep(polling.notReadyMs, signal, closed)
    }
  }

  /** Follows the hops from the first URL; undefined when the file is not ready. */
  async function walk(
    start: string,
    maxBytes: number,
    signal: AbortSignal | undefined,
  ): Promise<DownloadedMedia | undefined> {
    let url = start
    for (let hop = 0; hop < MAX_DOWNLOAD_HOPS; hop++) {
      const place = session.wire.locate(url, 'images')
      if (place === undefined || !isDownloadHost(new URL(place.url).host)) throw stranger()
      const current = url
      const result = await within(hopMs, 'A download', [signal, closed], async (own) => {
        const response = await session.wire.send(current, {
          headers: { 'user-agent': userAgent, accept: '*/*', ...downloadHeaders() },
          cookies: 'download',
          host: 'images',
          signal: own,
        })
        return readReply(response, current, maxBytes, own)
      })
      if (typeof result !== 'string') return result
      if (result === '') return undefined
      url = result
    }
    throw new GeminiWebError('media_refused', `The download did not end within ${MAX_DOWNLOAD_HOPS} hops`)
  }

  /** A file, the next URL, or an empty text when it must be asked for again. */
  async function readReply(
    response: TransportResponse,
    url: string,
    maxBytes: number,
    signal: AbortSignal,
  ): Promise<DownloadedMedia | string> {
    const contentType = response.header('content-type')
    const kind = readMediaReply({ status: response.status, ...(contentType === undefined ? {} : { contentType }) })
    switch (kind) {
      case 'wait':
        await response.discard()
        return ''
      case 'hop': {
        const location = response.header('location')
        const next = location ?? readHopUrl(contentType, await readText(response, 65_536, signal))
        if (location !== undefined) await response.discard()
        if (next === undefined || !URL.canParse(next, url)) throw stranger()
        return new URL(next, url).href
      }
      case 'refused':
      case 'sign-in':
      case 'error': {
        await response.discard()
        throw new GeminiWebError(
          response.status >= 500 ? 'unavailable' : 'media_refused',
          kind === 'sign-in' ? 'The download host asks for a sign-in' : `The download host answered ${response.status}`,
          { status: response.status, upstreamCode: String(response.status) },
        )
      }
      case 'envelope':
      case 'file': {
        const bytes = await readBytes(response, maxBytes, signal)
        const inside = kind === 'envelope' ? readVideoEnvelope(bytes) : undefined
        if (kind === 'envelope' && inside === undefined) {
          throw new GeminiWebError('drift', 'The envelope around a video could not be read')
        }
        const data = inside?.data ?? bytes
        const sample = data.subarray(0, SAMPLE_BYTES)
        return { data, mimeType: await detectType(sample, { whole: data.length <= SAMPLE_BYTES }) }
      }
    }
  }

  async function originalUrl(
    image: GeneratedImage,
    reply: Pick<WebReply, 'chat'>,
    signal?: AbortSignal,
  ): Promise<string> {
    const { chat } = reply
    if (chat === undefined)
      throw new GeminiWebError('media_refused', 'The reply has no ids to ask for the original with')
    const { chatId, responseId, candidateId } = chat
    const payload = await batch.one(
      RPC.originalImage,
      originalImagePayload({ imageId: image.imageId, chatId, responseId, candidateId }),
      { sourcePath: chatSourcePath(chatId, accountIndex), ...(signal === undefined ? {} : { signal }) },
    )
    const base = readOriginalImageUrl(payload)
    if (base === undefined) throw new GeminiWebError('drift', 'The call for an original picture gave no URL')
    return originalImageStartUrl(base)
  }

  return {
    download,
    async image(image, reply, { size = 'preview', ...options } = {}) {
      if (size === 'preview') return { ...(await download(imageSizeUrl(image.url, PREVIEW), options)), original: false }
      // Pictures of temporary chats have no original; their stored size is the best there is.
      if (reply.chat?.temporary !== true) {
        try {
          return { ...(await download(await originalUrl(image, reply, options.signal), options)), original: true }
        } catch (error) {
          options.signal?.throwIfAborted()
          closed.throwIfAborted()
          if (!isGeminiWebError(error) || error.code === 'file_too_large') throw error
        }
      }
      return { ...(await download(imageSizeUrl(image.url, AS_STORED), options)), original: false }
    },
    file: (file, options) =>
      download(
        mediaDownloadUrl(file.url, {
          ...(file.fileName === undefined ? {} : { fileName: file.fileName }),
          ...(accountIndex === undefined ? {} : { accountIndex }),
        }),
        options,
      ),
    async *watch(reply, { signal } = {}) {
      const { chat, videoJob } = reply
      const waiting = videoJob !== undefined || reply.musicPending
      if (reply.videos.length > 0 || reply.music !== undefined || chat === undefined || !waiting) {
        yield finished(reply)
        return
      }
      const pauseMs = videoJob === undefined ? polling.musicMs : polling.videoMs
      const begun = performance.now()
      for (;;) {
        const waitedMs = performance.now() - begun
        if (waitedMs + pauseMs > polling.totalMs) {
          throw new GeminiWebError('media_not_ready', 'The video or music was not finished when the time was over')
        }
        yield { state: 'pending', waitedMs }
        await sleep(pauseMs, signal, closed)
        const candidate = await ports.readNewest(chat.chatId, chat.responseId, signal)
        if (candidate !== undefined && (candidate.videos.length > 0 || candidate.music !== undefined)) {
          yield finished(candidate)
          return
        }
      }
    },
  }
}

function finished({ videos, music }: { videos: MediaFile[]; music?: Music }): MediaStatus {
  return { state: 'done', videos, ...(music === undefined ? {} : { music }) }
}

function stranger(): GeminiWebError {
  return new GeminiWebError('media_refused', 'The download leads to an address outside Google, where no cookie may go')
}

async function readBytes(response: TransportResponse, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
  try {
    const length = Number(response.header('content-length') ?? 0)
    return length > 0 && length <= maxBytes && response.header('content-encoding') === undefined
      ? await readInto(new Uint8Array(length), response)
      : await response.bytes(maxBytes)
  } catch (error) {
    if (isTransportError(error) && error.code === 'too_large') {
      throw new GeminiWebError('file_too_large', `The file is longer than the limit of ${maxBytes} bytes`, {
        cause: error,
      })
    }
    throw toWireError(error, signal)
  }
}

/** Fills the bytes as they come: joining 30 MB at the end would hold everybody else up. */
async function readInto(bytes: Uint8Array, { body }: TransportResponse): Promise<Uint8Array> {
  let at = 0
  for await (const piece of body) {
    if (at + piece.byteLength > bytes.byteLength)
      throw new GeminiWebError('network', 'The file is longer than announced')
    bytes.set(piece, at)
    at += piece.byteLength
  }
  return bytes.subarray(0, at)
}
