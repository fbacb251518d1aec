import type { RawPicture } from './media.ts'

/** Writes bits and Exp-Golomb codes from the highest bit down. */
class BitWriter {
  private readonly bytes: number[] = []
  private open = 0
  private bits = 0

  u(count: number, value: number): this {
    for (let bit = count - 1; bit >= 0; bit--) {
      this.open = (this.open << 1) | ((value >>> bit) & 1)
      if (++this.bits === 8) {
        this.bytes.push(this.open)
        this.open = this.bits = 0
      }
    }
    return this
  }

  /** Unsigned Exp-Golomb. */
  ue(value: number): this {
    const length = 32 - Math.clz32(value + 1)
    return this.u(length - 1, 0).u(length, value + 1)
  }

  /** Signed Exp-Golomb; only 0 is needed here. */
  zero(): this {
    return this.ue(0)
  }

  align(): this {
    return this.bits === 0 ? this : this.u(8 - this.bits, 0)
  }

  /** Stop bit and padding. */
  done(): Uint8Array<ArrayBuffer> {
    this.u(1, 1).align()
    return Uint8Array.from(this.bytes)
  }

  /** What is written so far, at a byte border. */
  taken(): number[] {
    return this.bytes.splice(0)
  }
}

/** Puts an escape byte wherever the payload would look like a start code. */
function escapeNal(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const out: number[] = []
  let zeros = 0
  let clean = true
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] as number
    if (zeros >= 2 && byte <= 3) {
      clean = false
      break
    }
    zeros = byte === 0 ? zeros + 1 : 0
  }
  if (clean) return bytes.slice()
  zeros = 0
  for (const byte of bytes) {
    if (zeros >= 2 && byte <= 3) {
      out.push(3)
      zeros = 0
    }
    out.push(byte)
    zeros = byte === 0 ? zeros + 1 : 0
  }
  return Uint8Array.from(out)
}

/** Sequence and picture parameter sets of a baseline stream without compression. Width and height must be multiples of 16. */
export function parameterSets(
  width: number,
  height: number,
): { sps: Uint8Array<ArrayBuffer>; pps: Uint8Array<ArrayBuffer> } {
  const sps = new BitWriter()
    .u(8, 0x67)
    .u(8, 66)
    .u(8, 0xc0)
    .u(8, 31)
    .ue(0) // id
    .ue(0) // frame numbers have 4 bits
    .ue(2) // pictures come in the order they are shown
    .ue(1) // one reference
    .u(1, 0)
    .ue(width / 16 - 1)
    .ue(height / 16 - 1)
    .u(1, 1) // frames only
    .u(1, 1)
    .u(1, 0) // no cropping
    .u(1, 0)
    .done()
  const pps = new BitWriter()
    .u(8, 0x68)
    .ue(0)
    .ue(0)
    .u(1, 0)
    .u(1, 0)
    .ue(0)
    .ue(0)
    .ue(0)
    .u(1, 0)
    .u(2, 0)
    .zero()
    .zero()
    .zero()
    .u(1, 1)
    .u(1, 0)
    .u(1, 0)
    .done()
  return { sps: escapeNal(sps), pps: escapeNal(pps) }
}

/** A key frame whose macroblocks are plain samples (I_PCM). */
export function keyFrame(picture: RawPicture, idrId: number): Uint8Array<ArrayBuffer> {
  const { width, height } = picture
  const columns = width / 16
  const rows = height / 16
  const planes = toYuv(picture)
  const bits = new BitWriter().u(8, 0x65).ue(0).ue(7).ue(0).u(4, 0).ue(idrId).u(1, 0).u(1, 0).zero().ue(1)
  // The first macroblock starts at whatever bit the header ends; every other one at a byte.
  const out = new Uint8Array(columns * rows * 386 + 32)
  let offset = 0
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const head = bits.ue(25).align().taken()
      out.set(head, offset)
      offset += head.length
      for (let y = 0; y < 16; y++) {
        const from = (row * 16 + y) * width + column * 16
        out.set(planes.luma.subarray(from, from + 16), offset)
        offset += 16
      }
      for (const plane of [planes.blue, planes.red]) {
        for (let y = 0; y < 8; y++) {
          const from = (row * 8 + y) * (width / 2) + column * 8
          out.set(plane.subarray(from, from + 8), offset)
          offset += 8
        }
      }
    }
  }
  const tail = bits.done()
  out.set(tail, offset)
  return escapeNal(out.subarray(0, offset + tail.length))
}

/** A frame that repeats the one before: all its macroblocks are skipped. */
export function repeatFrame(
  { width, height }: { width: number; height: number },
  frameNumber: number,
): Uint8Array<ArrayBuffer> {
  const blocks = (width / 16) * (height / 16)
  return escapeNal(
    new BitWriter()
      .u(8, 0x41)
      .ue(0)
      .ue(5)
      .ue(0)
      .u(4, frameNumber % 16)
      .u(1, 0)
      .u(1, 0)
      .u(1, 0)
      .zero()
      .ue(1)
      .ue(blocks)
      .done(),
  )
}

/** Studio-range BT.601 with chroma at half size. Samples are never 0, so no start code can appear among them. */
function toYuv({ width, height, data }: RawPicture): { luma: Uint8Array; blue: Uint8Array; red: Uint8Array } {
  const luma = new Uint8Array(width * height)
  const blue = new Uint8Array((width / 2) * (height / 2))
  const red = new Uint8Array((width / 2) * (height / 2))
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 4
      const [r, g, b] = [data[at] as number, data[at + 1] as number, data[at + 2] as number]
      luma[y * width + x] = 16 + 0.257 * r + 0.504 * g + 0.098 * b
      if (y % 2 === 0 && x % 2 === 0) {
        const half = (y / 2) * (width / 2) + x / 2
        blue[half] = 128 - 0.148 * r - 0.291 * g + 0.439 * b
        red[half] = 128 + 0.439 * r - 0.368 * g - 0.071 * b
      }
    }
  }
  return { luma, blue, red }
}
