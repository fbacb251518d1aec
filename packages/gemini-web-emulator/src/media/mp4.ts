import { keyFrame, parameterSets, repeatFrame } from './h264.ts'
import { drawScene } from './scene.ts'

type Part = number[] | Uint8Array | string

function join(parts: readonly Part[]): Uint8Array<ArrayBuffer> {
  const pieces = parts.map((part) =>
    typeof part === 'string' ? Uint8Array.from(part, (character) => character.charCodeAt(0)) : Uint8Array.from(part),
  )
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0))
  let offset = 0
  for (const piece of pieces) {
    whole.set(piece, offset)
    offset += piece.byteLength
  }
  return whole
}

const u16 = (value: number): number[] => [(value >>> 8) & 255, value & 255]
const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value)]

function box(type: string, ...parts: Part[]): Uint8Array<ArrayBuffer> {
  const content = join(parts)
  return join([u32(content.byteLength + 8), type, content])
}

/** A box with version and flags. */
function full(type: string, flags: number, ...parts: Part[]): Uint8Array<ArrayBuffer> {
  return box(type, u32(flags), ...parts)
}

const MATRIX = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000].flatMap(u32)
const FRAMES_PER_SECOND = 24

export interface VideoOptions {
  width: number
  height: number
  seconds: number
  prompt: string
  /** Seconds between two key frames, which is what makes the file large. Default 2. */
  keyEverySeconds?: number
}

/** A playable MP4: H.264 baseline, 24 frames per second, no sound. The same prompt gives the same bytes. */
export async function makeVideo({
  width,
  height,
  seconds,
  prompt,
  keyEverySeconds = 2,
}: VideoOptions): Promise<Uint8Array<ArrayBuffer>> {
  const count = seconds * FRAMES_PER_SECOND
  const keyEvery = keyEverySeconds * FRAMES_PER_SECOND
  const samples: Uint8Array[] = []
  const keys: number[] = []
  for (let index = 0; index < count; index++) {
    if (index % keyEvery === 0) {
      keys.push(index + 1)
      samples.push(keyFrame(await drawScene({ width, height, prompt, moment: index / count }), (index / keyEvery) % 2))
    } else samples.push(repeatFrame({ width, height }, index % keyEvery))
  }
  const sized = samples.map((sample) => join([u32(sample.byteLength), sample]))
  const { sps, pps } = parameterSets(width, height)
  const file = box('ftyp', 'isom', u32(512), 'isomiso2avc1mp41')
  const moov = (offset: number): Uint8Array<ArrayBuffer> =>
    movie({ width, height, seconds, sizes: sized.map((sample) => sample.byteLength), keys, sps, pps, offset })
  const start = file.byteLength + moov(0).byteLength + 8
  return join([file, moov(start), box('mdat', ...sized)])
}

interface Movie {
  width: number
  height: number
  seconds: number
  sizes: readonly number[]
  /** Key frames, counted from 1. */
  keys: readonly number[]
  sps: Uint8Array
  pps: Uint8Array
  /** Where the samples start in the file. */
  offset: number
}

function movie({ width, height, seconds, sizes, keys, sps, pps, offset }: Movie): Uint8Array<ArrayBuffer> {
  const duration = seconds * 1_000
  const avcC = box('avcC', [1, 66, 0xc0, 31, 0xff, 0xe1], u16(sps.byteLength), sps, [1], u16(pps.byteLength), pps)
  const entry = box(
    'avc1',
    [0, 0, 0, 0, 0, 0],
    u16(1),
    new Uint8Array(16),
    u16(width),
    u16(height),
    u32(0x480000),
    u32(0x480000),
    u32(0),
    u16(1),
    new Uint8Array(32),
    u16(24),
    u16(0xffff),
    avcC,
  )
  const table = box(
    'stbl',
    full('stsd', 0, u32(1), entry),
    full('stts', 0, u32(1), u32(sizes.length), u32(1)),
    full('stss', 0, u32(keys.length), keys.flatMap(u32)),
    full('stsc', 0, u32(1), u32(1), u32(sizes.length), u32(1)),
    full('stsz', 0, u32(0), u32(sizes.length), sizes.flatMap(u32)),
    full('stco', 0, u32(1), u32(offset)),
  )
  const media = box(
    'mdia',
    full('mdhd', 0, u32(0), u32(0), u32(FRAMES_PER_SECOND), u32(seconds * FRAMES_PER_SECOND), u16(0x55c4), u16(0)),
    full('hdlr', 0, u32(0), 'vide', new Uint8Array(12), 'castor\0'),
    box('minf', full('vmhd', 1, new Uint8Array(8)), box('dinf', full('dref', 0, u32(1), full('url ', 1))), table),
  )
  const track = box(
    'trak',
    full(
      'tkhd',
      3,
      u32(0),
      u32(0),
      u32(1),
      u32(0),
      u32(duration),
      new Uint8Array(16),
      MATRIX,
      u32(width << 16),
      u32(height << 16),
    ),
    media,
  )
  return box(
    'moov',
    full(
      'mvhd',
      0,
      u32(0),
      u32(0),
      u32(1_000),
      u32(duration),
      u32(0x10000),
      u16(0x100),
      new Uint8Array(10),
      MATRIX,
      new Uint8Array(24),
      u32(2),
    ),
    track,
  )
}
