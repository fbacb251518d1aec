import type { AttachedFile } from './answer.ts'

/** Attached text as a quotation, all of it. */
export function quoteText(text: string): string {
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n')
}

/** One sentence about a file that is not text. */
export function describeFile({ name, mimeType, bytes }: AttachedFile): string {
  const size = readPictureSize(bytes)
  const about = [mimeType, `${bytes.byteLength} bytes`]
  if (size !== undefined) about.push(`${size.width}×${size.height} pixels`)
  const noun = /^(image|video|audio)\//.exec(mimeType)?.[1] ?? (mimeType === 'application/pdf' ? 'document' : 'file')
  return `I see the ${noun} ${name} (${about.join(', ')}).`
}

/** Width and height of a PNG, GIF, JPEG or WebP (lossy, lossless, extended); undefined for anything else. */
export function readPictureSize(bytes: Uint8Array): { width: number; height: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const tag = (offset: number): string => String.fromCharCode(...bytes.subarray(offset, offset + 4))
  if (bytes.length >= 24 && view.getUint32(0) === 0x89504e47)
    return { width: view.getUint32(16), height: view.getUint32(20) }
  if (bytes.length >= 10 && tag(0) === 'GIF8')
    return { width: view.getUint16(6, true), height: view.getUint16(8, true) }
  if (bytes.length >= 25 && tag(0) === 'RIFF' && tag(8) === 'WEBP') {
    if (tag(12) === 'VP8X' && bytes.length >= 30)
      return { width: 1 + (view.getUint32(24, true) & 0xffffff), height: 1 + (view.getUint32(26, true) >>> 8) }
    if (tag(12) === 'VP8L') {
      const bits = view.getUint32(21, true)
      return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) }
    }
    if (tag(12) === 'VP8 ' && bytes.length >= 30)
      return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff }
  }
  if (bytes.length >= 4 && view.getUint16(0) === 0xffd8) return readJpegSize(view)
  return undefined
}

function readJpegSize(view: DataView): { width: number; height: number } | undefined {
  let offset = 2
  while (offset + 9 < view.byteLength && view.getUint8(offset) === 0xff) {
    const marker = view.getUint8(offset + 1)
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return { width: view.getUint16(offset + 7), height: view.getUint16(offset + 5) }
    }
    offset += 2 + view.getUint16(offset + 2)
  }
  return undefined
}
