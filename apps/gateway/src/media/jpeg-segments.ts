export interface JpegSegment {
  /** Second byte of the marker, such as 0xe1 for APP1. */
  marker: number
  data: Uint8Array
}

const START_OF_SCAN = 0xda

/** The segments before the picture data, as far as they are whole. */
export function* readJpegSegments(file: Uint8Array): Generator<JpegSegment> {
  for (let offset = 2; offset + 4 <= file.length && file[offset] === 0xff;) {
    const marker = file[offset + 1] ?? 0
    const length = ((file[offset + 2] ?? 0) << 8) | (file[offset + 3] ?? 0)
    if (marker === START_OF_SCAN || length < 2 || offset + 2 + length > file.length) return
    yield { marker, data: file.subarray(offset + 4, offset + 2 + length) }
    offset += 2 + length
  }
}

/** One segment with its length. `data` has at most 65 533 bytes. */
export function jpegSegment(marker: number, data: Uint8Array): Uint8Array {
  const segment = Buffer.alloc(4 + data.length)
  segment[0] = 0xff
  segment[1] = marker
  segment.writeUInt16BE(data.length + 2, 2)
  segment.set(data, 4)
  return segment
}
