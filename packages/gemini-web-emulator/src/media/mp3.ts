/** Header of a frame: MPEG 1 layer III, 128 kbit/s, 44.1 kHz, mono, no checksum. */
const HEADER = [0xff, 0xfb, 0x90, 0xc4]
/** 144 · 128 000 / 44 100, rounded down. */
const FRAME_BYTES = 417
const SAMPLES_PER_FRAME = 1_152

/** A playable MP3 that is silent for `seconds`, with a title. */
export function makeSound({ seconds, title }: { seconds: number; title: string }): Uint8Array<ArrayBuffer> {
  const tag = titleTag(title)
  const frames = Math.ceil((seconds * 44_100) / SAMPLES_PER_FRAME)
  const bytes = new Uint8Array(tag.byteLength + frames * FRAME_BYTES)
  bytes.set(tag)
  // Side information of zeros means granules without any data: silence.
  for (let frame = 0; frame < frames; frame++) bytes.set(HEADER, tag.byteLength + frame * FRAME_BYTES)
  return bytes
}

/** ID3v2.3 with one TIT2 frame in UTF-16. */
function titleTag(title: string): Uint8Array<ArrayBuffer> {
  const units = Array.from({ length: title.length }, (_, index) => title.charCodeAt(index))
  const text = Uint8Array.from([1, 0xff, 0xfe, ...units.flatMap((unit) => [unit & 255, unit >>> 8])])
  const size = 10 + text.byteLength
  const bytes = new Uint8Array(10 + size)
  bytes.set([0x49, 0x44, 0x33, 3, 0, 0, (size >>> 21) & 127, (size >>> 14) & 127, (size >>> 7) & 127, size & 127])
  bytes.set([0x54, 0x49, 0x54, 0x32, 0, 0, (text.byteLength >>> 8) & 255, text.byteLength & 255, 0, 0], 10)
  bytes.set(text, 20)
  return bytes
}
