const bytes = (...pieces: (string | number[])[]): Uint8Array =>
  Uint8Array.from(
    pieces.flatMap((piece) => (typeof piece === 'string' ? Array.from(new TextEncoder().encode(piece)) : piece)),
  )

const zeros = (count: number): number[] => Array.from({ length: count }, () => 0)
const box = (brand: string): Uint8Array => bytes([0, 0, 0, 24], 'ftyp', brand, [0, 0, 2, 0], brand, 'mif1', zeros(40))
const riff = (kind: string): Uint8Array => bytes('RIFF', [60, 0, 0, 0], kind, zeros(60))
/** A Matroska head that says `webm`. */
const WEBM = bytes([0x1a, 0x45, 0xdf, 0xa3, 0x87, 0x42, 0x82, 0x84], 'webm', zeros(40))
/** Object id of ASF, with a stream head that says "video". */
const WMV = bytes(
  [0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11, 0xa6, 0xd9, 0x00, 0xaa, 0x00, 0x62, 0xce, 0x6c],
  [0x66, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 2],
  [0x91, 0x07, 0xdc, 0xb7, 0xb7, 0xa9, 0xcf, 0x11, 0x8e, 0xe6, 0x00, 0xc0, 0x0c, 0x20, 0x53, 0x65],
  [0x48, 0, 0, 0, 0, 0, 0, 0],
  [0xc0, 0xef, 0x19, 0xbc, 0x4d, 0x5b, 0xcf, 0x11, 0xa8, 0xfd, 0x00, 0x80, 0x5f, 0x5c, 0x44, 0x2b],
  zeros(32),
)

/** The smallest bytes that are what they say, by the type Gemini calls them. */
export const MEDIA_SAMPLES: Readonly<Record<string, Uint8Array>> = {
  'image/png': Uint8Array.from(
    Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    ),
  ),
  'image/jpeg': bytes([0xff, 0xd8, 0xff, 0xe0, 0, 16], 'JFIF', zeros(40)),
  'image/webp': riff('WEBPVP8 '),
  'image/heic': box('heic'),
  'image/heif': box('mif1'),
  'audio/wav': riff('WAVEfmt '),
  'audio/mpeg': bytes('ID3', [3, 0, 0, 0, 0, 0, 0], [0xff, 0xfb, 0x90, 0x64], zeros(200)),
  'audio/aiff': bytes('FORM', [0, 0, 0, 60], 'AIFF', zeros(60)),
  'audio/aac': bytes([0xff, 0xf1, 0x50, 0x80, 0x02, 0x1f, 0xfc], zeros(60)),
  'audio/ogg': bytes('OggS', [0, 2], zeros(20), [1, 30, 1], 'vorbis', zeros(40)),
  'audio/flac': bytes('fLaC', [0, 0, 0, 34], zeros(60)),
  'video/mp4': box('isom'),
  'video/mpeg': bytes([0, 0, 1, 0xba, 0x21], zeros(60)),
  'video/mov': box('qt  '),
  'video/avi': riff('AVI LIST'),
  'video/x-flv': bytes('FLV', [1, 5, 0, 0, 0, 9], zeros(40)),
  'video/webm': WEBM,
  'video/wmv': WMV,
  'video/3gpp': box('3gp4'),
  'application/pdf': bytes('%PDF-1.7\n', zeros(40)),
  'text/plain': bytes('Plain words, nothing else.'),
}

export function sample(mimeType: string): Uint8Array {
  const found = MEDIA_SAMPLES[mimeType]
  if (found === undefined) throw new Error(`There is no sample of ${mimeType}`)
  return found
}

export function dataUrl(mimeType: string, label = mimeType): string {
  return `data:${label};base64,${Buffer.from(sample(mimeType)).toString('base64')}`
}
