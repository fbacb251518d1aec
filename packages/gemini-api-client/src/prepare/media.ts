import { GenerationError, type Content, type FileData, type Part } from '@castorjs/content-generator'
import { base64ToBytes, bytesToBase64, detectMediaType, toInlinePart } from '@castorjs/content-generator/media'
import type { UploadSource } from '../files.ts'

/** Fetches a URL that a stranger gave; must refuse private places. `createGuardedFetch` of guarded-fetch is one. */
export type MediaFetch = (
  url: string,
  request: { signal: AbortSignal },
) => Promise<{ mimeType?: string; sizeBytes?: number; body: AsyncIterable<Uint8Array> }>

export interface MediaContext {
  signal: AbortSignal
  mediaFetch: MediaFetch | undefined
  /** Puts a file where the model can read it. Undefined where the upstream has no such place. */
  upload: ((source: UploadSource) => Promise<FileData>) | undefined
  /** Bytes that may travel inside one request. */
  inlineLimitBytes: number
  /** Called before a file is fetched or uploaded. */
  onAsked: (() => void) | undefined
  /** True for references the upstream reads itself. */
  isReadable: (fileUri: string) => boolean
}

/**
 * Makes every file of the caller's one the model can read: types come from the bytes, references the upstream does
 * not read are fetched, what is too large for the request goes into the Files API as it arrives.
 *
 * @throws {GenerationError} `unsupported` or `invalid_request` naming the part or the file's URI; `too_large` where
 * there is nowhere to upload to.
 */
export async function prepareMedia(turns: readonly Content[], context: MediaContext): Promise<Content[]> {
  let left = context.inlineLimitBytes
  const prepared: Content[] = []
  for (const [index, turn] of turns.entries()) {
    if (turn.role === 'model' || turn.parts?.some(hasMedia) !== true) {
      prepared.push(turn)
      continue
    }
    const parts: Part[] = []
    for (const [position, part] of turn.parts.entries()) {
      parts.push(await prepareWithResults(part, `contents[${index}].parts[${position}]`))
    }
    prepared.push({ ...turn, parts })
  }
  return prepared

  async function prepareWithResults(part: Part, field: string): Promise<Part> {
    const nested = part.functionResponse?.parts
    if (part.functionResponse === undefined || nested === undefined) return preparePart(part, field)
    const media: Part[] = []
    for (const [index, inner] of nested.entries()) {
      media.push(await preparePart(inner, `${field}.functionResponse.parts[${index}]`))
    }
    return { ...part, functionResponse: { ...part.functionResponse, parts: media } }
  }

  async function preparePart(part: Part, field: string): Promise<Part> {
    if (part.inlineData !== undefined) return prepareInline(part, part.inlineData.mimeType, part.inlineData.data, field)
    const uri = part.fileData?.fileUri
    if (uri === undefined || context.isReadable(uri)) return part
    if (uri.startsWith('data:')) return prepareInline(part, undefined, uri, field)
    return prepareRemote(part, uri)
  }

  async function prepareInline(part: Part, label: string | undefined, data: string, field: string): Promise<Part> {
    const { inlineData } = await toInlinePart({ data, label, field: `${field}.inlineData.data` })
    if (inlineData === undefined) return part
    const { fileData: _, ...rest } = part
    const bytes = Math.ceil((inlineData.data.length * 3) / 4)
    if (bytes <= left) {
      left -= bytes
      return { ...rest, inlineData: { ...part.inlineData, ...inlineData } }
    }
    if (context.upload === undefined) throw tooLarge(context.inlineLimitBytes, { field })
    const { inlineData: __, ...others } = rest
    context.onAsked?.()
    return {
      ...others,
      fileData: await context.upload({
        mimeType: inlineData.mimeType,
        sizeBytes: exactLength(inlineData.data),
        body: decodeSlowly(inlineData.data),
      }),
    }
  }

  async function prepareRemote(part: Part, uri: string): Promise<Part> {
    if (context.mediaFetch === undefined) {
      const message = 'Files at other places are not fetched here. Send the file itself as base64.'
      throw new GenerationError('unsupported', message, { fileUri: uri })
    }
    context.onAsked?.()
    const found = await context.mediaFetch(uri, { signal: context.signal })
    const iterator = found.body[Symbol.asyncIterator]()
    const head: Uint8Array[] = []
    let length = 0
    // Of a file that is known to be too large only so much is held as its type takes to be read.
    const enough = found.sizeBytes !== undefined && found.sizeBytes > left ? SNIFFED_BYTES : left
    try {
      let ended = false
      while (!ended && length <= enough) {
        const next = await iterator.next()
        if (next.done === true) ended = true
        else {
          head.push(next.value)
          length += next.value.byteLength
        }
      }
      const label = part.fileData?.mimeType ?? found.mimeType
      const { fileData: _, ...rest } = part
      if (ended && length <= left) {
        const { inlineData } = await toInlinePart({
          data: bytesToBase64(join(head, length)),
          label,
          field: 'fileUri',
        }).catch(named(uri))
        left -= length
        return { ...rest, ...(inlineData === undefined ? {} : { inlineData }) }
      }
      if (context.upload === undefined) throw tooLarge(context.inlineLimitBytes, { fileUri: uri })
      const mimeType = await readType(head, label, uri)
      const { sizeBytes } = found
      const source = { mimeType, ...(sizeBytes === undefined ? {} : { sizeBytes }), body: continueWith(head, iterator) }
      return { ...rest, fileData: await context.upload(source) }
    } finally {
      await iterator.return?.()
    }
  }
}

function hasMedia({ inlineData, fileData, functionResponse }: Part): boolean {
  return inlineData !== undefined || fileData !== undefined || functionResponse?.parts?.some(hasMedia) === true
}

const SNIFFED_BYTES = 4_098

async function readType(head: readonly Uint8Array[], label: string | undefined, fileUri: string): Promise<string> {
  const begin: Uint8Array[] = []
  let length = 0
  for (const piece of head) {
    if (length === SNIFFED_BYTES) break
    const part = piece.subarray(0, SNIFFED_BYTES - length)
    begin.push(part)
    length += part.byteLength
  }
  const detected = await detectMediaType(bytesToBase64(join(begin, length)))
  const type = detected ?? label
  if (type !== undefined) return type
  const message = 'A file at a URL is of no known type. Send an image, audio, video, PDF or text file.'
  throw new GenerationError('invalid_request', message, { fileUri })
}

/** Gives an error about the bytes the file's own URI, so that a dialect can name its field. */
function named(fileUri: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof GenerationError)) throw error
    throw new GenerationError(error.code, error.message.replace('`fileUri`', 'The file at a URL'), {
      fileUri,
      cause: error,
    })
  }
}

function tooLarge(limit: number, where: { field: string } | { fileUri: string }): GenerationError {
  const megabytes = Math.floor(limit / 1_000_000)
  return new GenerationError(
    'too_large',
    `The files of one request may have ${megabytes} MB together here. Send smaller ones.`,
    where,
  )
}

function exactLength(base64: string): number {
  return (base64.length / 4) * 3 - (base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0)
}

const SLICE = 4 * 262_144

/** Decodes base64 a slice at a time. */
async function* decodeSlowly(base64: string): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < base64.length; start += SLICE) yield base64ToBytes(base64.slice(start, start + SLICE))
}

/** What was read already, let go piece by piece, then the rest. */
async function* continueWith(head: Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (let piece = head.shift(); piece !== undefined; piece = head.shift()) yield piece
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
}

function join(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length)
  let offset = 0
  for (const piece of pieces) {
    whole.set(piece, offset)
    offset += piece.byteLength
  }
  return whole
}
