import { deflateSync, inflateSync } from 'node:zlib'
import { readPngChunks, pngChunk, type PngChunk } from './png-chunks.ts'
import { readJpegSegments, jpegSegment } from './jpeg-segments.ts'

/**
 * What a picture says about where it comes from. Pixels that are resized are encoded anew; this is carried
 * over, so that no provenance is lost on the way. A C2PA store then no longer matches its pixels, and says so
 * to whoever checks: that is true, and it stays.
 */
export interface Provenance {
  /** C2PA manifest store: the JUMBF box, whole. */
  c2pa?: Uint8Array
  /** XMP packet, UTF-8. */
  xmp?: Uint8Array
  /** ICC profile, not compressed. */
  icc?: Uint8Array
  /** Exif, beginning with the TIFF header. */
  exif?: Uint8Array
  /** Keyword and text pairs. */
  texts: PngChunk[]
}

const XMP_KEYWORD = 'XML:com.adobe.xmp'
const XMP_HEADER = 'http://ns.adobe.com/xap/1.0/\0'
const EXIF_HEADER = 'Exif\0\0'
const ICC_HEADER = 'ICC_PROFILE\0'
const APP1 = 0xe1
const APP2 = 0xe2
const APP11 = 0xeb
/** Data bytes of one JPEG segment, length field excluded. */
const SEGMENT_ROOM = 65_533

const ascii = (text: string): Buffer => Buffer.from(text, 'latin1')

/** Reads what a PNG or JPEG carries; any other file carries nothing we know. */
export function readProvenance(file: Uint8Array): Provenance {
  if (file[0] === 0x89 && file[1] === 0x50) return readPng(file)
  if (file[0] === 0xff && file[1] === 0xd8) return readJpeg(file)
  return { texts: [] }
}

/** Puts it into a PNG or JPEG that has none. Any other file comes back as it is. */
export function writeProvenance(file: Uint8Array, provenance: Provenance): Uint8Array {
  if (file[0] === 0x89 && file[1] === 0x50) return writePng(file, provenance)
  if (file[0] === 0xff && file[1] === 0xd8) return writeJpeg(file, provenance)
  return file
}

function readPng(file: Uint8Array): Provenance {
  const found: Provenance = { texts: [] }
  for (const { type, data } of readPngChunks(file)) {
    if (type === 'caBX') found.c2pa = data
    else if (type === 'eXIf') found.exif = data
    else if (type === 'iCCP') found.icc = inflateSync(data.subarray(data.indexOf(0) + 2))
    else if (type === 'iTXt' && startsWith(data, ascii(`${XMP_KEYWORD}\0`))) found.xmp = xmpOfText(data)
    else if (type === 'tEXt' || type === 'iTXt' || type === 'zTXt') found.texts.push({ type, data })
  }
  return found
}

/** iTXt: keyword, NUL, compression flag, method, language, NUL, translated keyword, NUL, text. */
function xmpOfText(data: Uint8Array): Uint8Array {
  const afterKeyword = XMP_KEYWORD.length + 1
  const compressed = data[afterKeyword] === 1
  const languageEnd = data.indexOf(0, afterKeyword + 2)
  const text = data.subarray(data.indexOf(0, languageEnd + 1) + 1)
  return compressed ? inflateSync(text) : text
}

function writePng(file: Uint8Array, { c2pa, xmp, icc, exif, texts }: Provenance): Uint8Array {
  const header = 33
  const added: Uint8Array[] = []
  if (c2pa !== undefined) added.push(pngChunk('caBX', c2pa))
  if (icc !== undefined) added.push(pngChunk('iCCP', Buffer.concat([ascii('ICC Profile\0\0'), deflateSync(icc)])))
  if (exif !== undefined) added.push(pngChunk('eXIf', exif))
  if (xmp !== undefined) added.push(pngChunk('iTXt', Buffer.concat([ascii(`${XMP_KEYWORD}\0\0\0\0\0`), xmp])))
  for (const { type, data } of texts) added.push(pngChunk(type, data))
  return Buffer.concat([file.subarray(0, header), ...added, file.subarray(header)])
}

function readJpeg(file: Uint8Array): Provenance {
  const found: Provenance = { texts: [] }
  const jumbf: Uint8Array[] = []
  const icc: Uint8Array[] = []
  for (const { marker, data } of readJpegSegments(file)) {
    if (marker === APP11 && startsWith(data, ascii('JP'))) jumbf.push(data)
    else if (marker === APP1 && startsWith(data, ascii(XMP_HEADER))) found.xmp = data.subarray(XMP_HEADER.length)
    else if (marker === APP1 && startsWith(data, ascii(EXIF_HEADER))) found.exif = data.subarray(EXIF_HEADER.length)
    else if (marker === APP2 && startsWith(data, ascii(ICC_HEADER))) icc.push(data.subarray(ICC_HEADER.length + 2))
  }
  if (icc.length > 0) found.icc = Buffer.concat(icc)
  if (jumbf.length > 0) found.c2pa = joinJumbf(jumbf)
  return found
}

function writeJpeg(file: Uint8Array, { c2pa, xmp, icc, exif }: Provenance): Uint8Array {
  const added: Uint8Array[] = []
  if (exif !== undefined && exif.length < SEGMENT_ROOM - EXIF_HEADER.length) {
    added.push(jpegSegment(APP1, Buffer.concat([ascii(EXIF_HEADER), exif])))
  }
  if (xmp !== undefined && xmp.length < SEGMENT_ROOM - XMP_HEADER.length) {
    added.push(jpegSegment(APP1, Buffer.concat([ascii(XMP_HEADER), xmp])))
  }
  if (icc !== undefined) added.push(...iccSegments(icc))
  if (c2pa !== undefined) added.push(...jumbfSegments(c2pa))
  return Buffer.concat([file.subarray(0, 2), ...added, file.subarray(2)])
}

function iccSegments(icc: Uint8Array): Uint8Array[] {
  const room = SEGMENT_ROOM - ICC_HEADER.length - 2
  const count = Math.ceil(icc.length / room)
  return Array.from({ length: count }, (_, index) =>
    jpegSegment(
      APP2,
      Buffer.concat([ascii(ICC_HEADER), Buffer.of(index + 1, count), icc.subarray(index * room, (index + 1) * room)]),
    ),
  )
}

/**
 * A JUMBF box in JPEG: `JP`, box instance (2), packet sequence (4), then in each packet the box header (length and
 * type, 8 bytes) and a piece of its content. Source: ISO/IEC 19566-5 annex D; C2PA specification, JPEG embedding.
 */
function jumbfSegments(box: Uint8Array): Uint8Array[] {
  const room = SEGMENT_ROOM - 16
  const content = box.subarray(8)
  const count = Math.max(1, Math.ceil(content.length / room))
  return Array.from({ length: count }, (_, index) => {
    const head = Buffer.alloc(8)
    head.write('JP', 0, 'latin1')
    head.writeUInt16BE(1, 2)
    head.writeUInt32BE(index + 1, 4)
    return jpegSegment(
      APP11,
      Buffer.concat([head, box.subarray(0, 8), content.subarray(index * room, (index + 1) * room)]),
    )
  })
}

function joinJumbf(packets: Uint8Array[]): Uint8Array {
  const sequence = (packet: Uint8Array): number => Buffer.from(packet).readUInt32BE(4)
  const ordered = [...packets].sort((left, right) => sequence(left) - sequence(right))
  const header = ordered[0]?.subarray(8, 16) ?? new Uint8Array()
  return Buffer.concat([header, ...ordered.map((packet) => packet.subarray(16))])
}

function startsWith(data: Uint8Array, prefix: Uint8Array): boolean {
  return data.length >= prefix.length && Buffer.compare(data.subarray(0, prefix.length), prefix) === 0
}
