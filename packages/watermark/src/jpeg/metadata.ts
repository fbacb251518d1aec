import { concat } from '../concat.ts'
import { createXmpPacket, readProvenance, type Provenance } from '../provenance.ts'
import { APP0, APP15, readSegment, type Segment } from './markers.ts'

const APP1 = 0xe1
const APP11 = 0xeb
const COM = 0xfe
const SOS = 0xda
const XMP_NAMESPACE = 'http://ns.adobe.com/xap/1.0/'

function isMetadata({ marker }: Segment): boolean {
  return (marker >= APP0 && marker <= APP15) || marker === COM
}

function dataOf(bytes: Uint8Array, segments: readonly Segment[], marker: number): Uint8Array[] {
  return segments
    .filter((segment) => segment.marker === marker)
    .map(({ dataStart, end }) => bytes.subarray(dataStart, end))
}

/** What the segments say about where the picture comes from. */
export function jpegProvenance(bytes: Uint8Array, segments: readonly Segment[]): Provenance {
  const latin = new TextDecoder('latin1')
  const xmp = dataOf(bytes, segments, APP1).filter(
    (data) => latin.decode(data.subarray(0, XMP_NAMESPACE.length)) === XMP_NAMESPACE,
  )
  return readProvenance(dataOf(bytes, segments, APP11), xmp)
}

/** An XMP segment that states the source type. */
function sourceTypeSegment(): Uint8Array {
  const data = new TextEncoder().encode(`${XMP_NAMESPACE}\0${createXmpPacket()}`)
  const length = data.length + 2
  return concat([Uint8Array.of(0xff, APP1, length >> 8, length & 255), data])
}

/** The header segments with the source type behind the last APPn, so that nothing before it moves. */
export function withSourceType(segments: readonly Segment[], parts: readonly Uint8Array[]): Uint8Array[] {
  const lastApp = segments.findLastIndex(({ marker }) => marker >= APP0 && marker <= APP15)
  return [...parts.slice(0, lastApp + 1), sourceTypeSegment(), ...parts.slice(lastApp + 1)]
}

function headerSegments(bytes: Uint8Array): Segment[] {
  const segments: Segment[] = []
  for (let at = 2; segments[segments.length - 1]?.marker !== SOS; at = segments[segments.length - 1]!.end) {
    segments.push(readSegment(bytes, at))
  }
  return segments
}

/** Kinds jimp decodes: baseline, extended and progressive. */
const DECODABLE = new Set([0xc0, 0xc1, 0xc2])

/** Sides and provenance of a file jimp can decode; undefined for CMYK, 12-bit, arithmetic-coded and lossless ones. */
export function peekJpeg(bytes: Uint8Array) {
  const segments = headerSegments(bytes)
  const frame = segments.find(({ marker }) => DECODABLE.has(marker))
  if (frame === undefined || frame.end - frame.dataStart < 6) return undefined
  const [depth, h1, h0, w1, w0, components] = bytes.subarray(frame.dataStart, frame.dataStart + 6)
  if (depth !== 8 || (components !== 1 && components !== 3)) return undefined
  const [width, height] = [(w1! << 8) | w0!, (h1! << 8) | h0!]
  if (width === 0 || height === 0) return undefined
  return { width, height, provenance: jpegProvenance(bytes, segments) }
}

/** The new file with the old one's APPn and COM segments in place of its own, byte for byte and in order. */
export function carryJpegMetadata(old: Uint8Array, fresh: Uint8Array, writeSourceType: boolean): Uint8Array {
  const segments = headerSegments(old).filter(isMetadata)
  const kept = segments.map(({ start, end }) => old.subarray(start, end))
  const own = headerSegments(fresh)
  const coding = own.filter((segment) => !isMetadata(segment)).map(({ start, end }) => fresh.subarray(start, end))
  return concat([
    fresh.subarray(0, 2),
    ...(writeSourceType ? withSourceType(segments, kept) : kept),
    ...coding,
    fresh.subarray(own[own.length - 1]!.end),
  ])
}
