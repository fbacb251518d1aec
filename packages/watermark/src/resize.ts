/** A resampling kernel: weight by distance, zero from `reach` on. */
export interface Kernel {
  reach: number
  weight: (distance: number) => number
}

/** One output sample: the first source index and a weight for each following one. */
interface Tap {
  first: number
  weights: Float64Array
}

function cubic(a: number): Kernel {
  return {
    reach: 2,
    weight: (x) => {
      const t = Math.abs(x)
      if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1
      if (t < 2) return a * (((t - 5) * t + 8) * t - 4)
      return 0
    },
  }
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}

/** Cubic with a = −1: how the 36 px sprite of the second generation is enlarged to 96 px. */
export const SHARP_CUBIC = cubic(-1)

/** What programs resize pictures with: Catmull-Rom, Lanczos of three lobes, and linear. */
export const PICTURE_KERNELS: readonly Kernel[] = [
  cubic(-0.5),
  { reach: 3, weight: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) },
  { reach: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
]

/** Where `length` output samples read a source of `size` samples: output `o` lies at `(o + ½)·step + shift − ½`. */
function taps(kernel: Kernel, size: number, length: number, step: number, shift: number): Tap[] {
  const stretch = Math.max(1, step)
  return Array.from({ length }, (_, o) => {
    const centre = (o + 0.5) * step + shift - 0.5
    const first = Math.max(0, Math.ceil(centre - kernel.reach * stretch))
    const last = Math.min(size - 1, Math.floor(centre + kernel.reach * stretch))
    const weights = new Float64Array(Math.max(0, last - first + 1))
    for (let i = 0; i < weights.length; i++) weights[i] = kernel.weight((first + i - centre) / stretch)
    const sum = weights.reduce((total, weight) => total + weight, 0)
    if (sum !== 0) for (let i = 0; i < weights.length; i++) weights[i]! /= sum
    return { first, weights }
  })
}

/** How a square plane is resampled; steps and shifts are in source pixels. */
export interface Resampling {
  kernel: Kernel
  /** Source pixels per output pixel, across and down. */
  stepX: number
  stepY: number
  /** Source position of the output's left and top edge. Default 0. */
  shiftX?: number
  shiftY?: number
  width: number
  height: number
}

/** Resizes a `size`×`size` plane separably; weights are renormalised at the border. */
export function resizePlane(plane: Float32Array, size: number, resampling: Resampling): Float32Array {
  const { kernel, stepX, stepY, shiftX = 0, shiftY = 0, width, height } = resampling
  const across = taps(kernel, size, width, stepX, shiftX)
  const down = taps(kernel, size, height, stepY, shiftY)
  const rows = new Float64Array(size * width)
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < width; x++) {
      const { first, weights } = across[x]!
      let sum = 0
      for (let i = 0; i < weights.length; i++) sum += weights[i]! * plane[y * size + first + i]!
      rows[y * width + x] = sum
    }
  }
  const out = new Float32Array(width * height)
  for (let y = 0; y < height; y++) {
    const { first, weights } = down[y]!
    for (let x = 0; x < width; x++) {
      let sum = 0
      for (let i = 0; i < weights.length; i++) sum += weights[i]! * rows[(first + i) * width + x]!
      out[y * width + x] = sum
    }
  }
  return out
}
