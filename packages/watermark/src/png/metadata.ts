import { concat } from '../concat.ts'
import { createXmpPacket, readProvenance, type Provenance } from '../provenance.ts'
import { createChunk, readChunks, readUint32, type Chunk } from './chunks.ts'

const XMP_KEYWORD = 'XML:com.adobe.xmp'

function dataOf(bytes: Uint8Array, chunks: readonly Chunk[], type: string): Uint8Array[] {
  return chunks.filter((chunk) => chunk.type === type).map((chunk) => bytes.subarray(chunk.dataStart, chunk.dataEnd))
}

/** What the chunks say about where the picture comes from. */
export function pngProvenance(bytes: Uint8Array, chunks: readonly Chunk[]): Provenance {
  const latin = new TextDecoder('latin1')
  const texts = dataOf(bytes, chunks, 'iTXt')
  const xmp = texts.filter((data) => latin.decode(data.subarray(0, XMP_KEYWORD.length)) === XMP_KEYWORD)
  return readProvenance(dataOf(bytes, chunks, 'caBX'), xmp)
}

/** An XMP chunk that states the source type. */
export function sourceTypeChunk(): Uint8Array {
  // Keyword, then: end of keyword, not compressed, method 0, no language, no translated keyword.
  return createChunk('iTXt', new TextEncoder().encode(`${XMP_KEYWORD}\0\0\0\0\0${createXmpPacket()}`))
}

/** Sides and provenance of a still PNG file of any kind; undefined for animated ones. */
export function peekPng(bytes: Uint8Array) {
  const chunks = readChunks(bytes)
  if (chunks.some(({ type }) => type === 'acTL')) return undefined
  const at = chunks[0]!.dataStart
  return { width: readUint32(bytes, at), height: readUint32(bytes, at + 4), provenance: pngProvenance(bytes, chunks) }
}

/** Chunks that describe the old encoding, not the picture: they would be wrong in a file of another kind. */
const ENCODING = new Set(['IHDR', 'PLTE', 'IDAT', 'IEND', 'tRNS', 'bKGD', 'sBIT', 'hIST'])

/** The new file with the old one's metadata chunks in front of its pixels, byte for byte and in order. */
export function carryPngMetadata(old: Uint8Array, fresh: Uint8Array, writeSourceType: boolean): Uint8Array {
  const kept = readChunks(old)
    .filter(({ type }) => !ENCODING.has(type))
    .map(({ start, end }) => old.subarray(start, end))
  const chunks = readChunks(fresh).filter(({ type }) => ENCODING.has(type))
  const copy = ({ start, end }: Chunk) => fresh.subarray(start, end)
  return concat([
    fresh.subarray(0, 8),
    copy(chunks[0]!),
    ...kept,
    ...chunks.slice(1, -1).map(copy),
    ...(writeSourceType ? [sourceTypeChunk()] : []),
    copy(chunks[chunks.length - 1]!),
  ])
}
