import { textPart, thoughtPart, type Candidate, type MediaOptions, type Part } from '@castorjs/content-generator'
import type { CanvasDocument, Citation } from '@castorjs/gemini-web-protocol'
import type { GeminiWebClient } from '../client.ts'
import type { DownloadedMedia } from '../media.ts'
import type { WebReply } from '../reply.ts'
import { encodeBase64 } from './files.ts'

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
  const seen = new Set<string>()
  const parts: Part[] = []
  for (const image of images) {
    const part = mediaPart(image)
    const data = part.inlineData?.data ?? ''
    if (!seen.has(data)) parts.push(part)
    seen.add(data)
  }
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

function mediaPart({ data, mimeType }: DownloadedMedia): Part {
  return { inlineData: { mimeType, data: encodeBase64(data) } }
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
