import {
  inlineBytes,
  textPart,
  thoughtPart,
  type Candidate,
  type MediaOptions,
  type Part,
} from '@castorjs/content-generator'
import type { CanvasDocument, Citation } from '@castorjs/gemini-web-protocol'
import type { GeminiWebClient } from '../client.ts'
import type { DownloadedMedia } from '../media.ts'
import type { WebReply } from '../reply.ts'

/** The pictures of a reply as parts, fetched at once with the account's cookies. The same picture is given once. */
export async function imageParts(
  client: GeminiWebClient,
  reply: WebReply,
  { original = false }: Pick<MediaOptions, 'original'>,
  signal: AbortSignal,
): Promise<Part[]> {
  const images = await Promise.all(
    reply.images.map((image) => client.media.image(image, reply, { size: original ? 'original' : 'preview', signal })),
  )
  const parts = images
    .filter((image, index) => images.findIndex((other) => sameBytes(other.data, image.data)) === index)
    .map(mediaPart)
  for (const image of reply.webImages) parts.push({ fileData: { fileUri: image.url, mimeType: 'image/jpeg' } })
  return parts
}

/** Silence longer than this looks like a stall to whoever waits. */
const PROGRESS_MS = 45_000

/** A video or track as parts: the videos, the audio, and its clip. The waiting is told as thoughts. */
export async function* clipParts(client: GeminiWebClient, reply: WebReply, signal: AbortSignal): AsyncGenerator<Part> {
  let told = 0
  for await (const status of client.media.watch(reply, { signal })) {
    if (status.state === 'pending') {
      if (status.waitedMs - told < PROGRESS_MS) continue
      told = status.waitedMs
      yield thoughtPart(`Still at work after ${Math.round(told / 1000)} seconds.\n`)
      continue
    }
    const { videos, music } = status
    for (const file of [...videos, music?.audio, music?.clip]) {
      if (file !== undefined) yield mediaPart(await client.media.file(file, { signal }))
    }
  }
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one === other || (one.length === other.length && one.every((byte, index) => byte === other[index]))
}

function mediaPart({ data, mimeType }: DownloadedMedia): Part {
  return { inlineData: inlineBytes(data, mimeType) }
}

/** Canvas documents as Markdown behind the answer. */
export function documentParts(documents: readonly CanvasDocument[]): Part[] {
  return documents
    .filter((document) => document.content !== '' && document.jobId === undefined)
    .map(({ title, content }) => textPart(`\n\n${title === undefined ? '' : `## ${title}\n\n`}${content}`))
}

/** Sources of a report in Google's field. */
export function citationsOf(citations: readonly Citation[]): Pick<Candidate, 'citationMetadata'> {
  if (citations.length === 0) return {}
  return {
    citationMetadata: {
      citationSources: citations.map(({ url, title }) => ({ uri: url, ...(title === undefined ? {} : { title }) })),
    },
  }
}
