/** Time, as ratios side by side in one run: every round takes turns, and the median of the rounds counts. */
import { locate, remove } from '@castorjs/watermark'
import { removeFromJpeg } from '@castorjs/watermark/jpeg'
import { removeFromPng } from '@castorjs/watermark/png'
import { removeWatermarkFromImageDataSync } from '@pilio/gemini-watermark-remover/image-data'
import { Jimp } from 'jimp'
import jpegJs from 'jpeg-js'
import { drawPicture } from '../../packages/watermark/test/corpus.ts'
import { writeJpeg } from '../../packages/watermark/test/jpeg-writer.ts'
import { copyOf, withMark } from '../../packages/watermark/test/marking.ts'
import { writePng } from '../../packages/watermark/test/png-writer.ts'

type Way = [name: string, run: () => unknown]

interface Times {
  median: number
  best: number
}

/** Times of each way in milliseconds; ways take turns, so a busy machine slows all of them alike. */
async function race(ways: readonly Way[], rounds: number): Promise<Map<string, Times>> {
  const times = new Map<string, number[]>(ways.map(([name]) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const [name, run] of ways) {
      const start = performance.now()
      await run()
      // The first round warms up.
      if (round > 0) times.get(name)!.push(performance.now() - start)
    }
  }
  return new Map(
    [...times].map(([name, list]) => {
      list.sort((a, b) => a - b)
      return [name, { median: list[list.length >> 1]!, best: list[0]! }]
    }),
  )
}

function print(title: string, times: Map<string, Times>, base: string): void {
  const round = (time: number) => time.toFixed(time < 10 ? 2 : 0)
  console.log(`\n${title}\n`)
  console.log('| way | median ms | best ms | ratio of medians |')
  console.log('|---|---|---|---|')
  for (const [name, { median, best }] of times) {
    console.log(`| ${name} | ${round(median)} | ${round(best)} | ${(median / times.get(base)!.median).toFixed(3)} |`)
  }
}

async function raceRaw(width: number, height: number): Promise<void> {
  const clean = drawPicture('clouds', 1, width, height)
  const marked = withMark(clean, 'v1-96')
  const location = locate(marked)
  if (!location.found) throw new Error('the bench picture has lost its mark')
  const times = await race(
    [
      ['remove', () => remove(copyOfSquare(marked), location.placement)],
      ['locate + remove', () => removeFrom(copyOfSquare(marked))],
      ['locate, no mark', () => locate(clean)],
      ['@pilio', () => removeWatermarkFromImageDataSync({ width, height, data: new Uint8ClampedArray(marked.data) })],
    ],
    7,
  )
  print(`Raw pixels ${width}×${height}`, times, '@pilio')

  /** The copy is not part of the work: only the square is put back, in place. */
  function copyOfSquare(picture: typeof marked) {
    for (let y = height - 160; y < height - 64; y++) {
      const from = (y * width + width - 160) * 4
      scratch.data.set(picture.data.subarray(from, from + 96 * 4), from)
    }
    return scratch
  }
}

let scratch = { width: 0, height: 0, data: new Uint8ClampedArray() as Uint8Array | Uint8ClampedArray }

function removeFrom(picture: typeof scratch): void {
  const location = locate(picture)
  if (location.found) remove(picture, location.placement)
}

async function raceFiles(side: number, rounds: number): Promise<void> {
  const marked = withMark(drawPicture('clouds', 1, side), 'v1-96')
  const png = writePng(marked)
  const pngResult = removeFromPng(png)
  const pngTimes = await race(
    [
      ['castor', () => removeFromPng(png)],
      [
        'jimp',
        async () => {
          const image = await Jimp.fromBuffer(png.slice().buffer)
          removeFrom({ width: side, height: side, data: image.bitmap.data })
          return image.getBuffer('image/png')
        },
      ],
    ],
    rounds,
  )
  print(`PNG ${side}×${side} (${(png.length / 1e6).toFixed(1)} MB)`, pngTimes, 'jimp')
  console.log(
    `\nkept verbatim: ${((100 * pngResult.keptStreamBytes) / pngResult.streamBytes).toFixed(1)} % of the compressed stream`,
  )

  const jpeg = writeJpeg(marked, { quality: 90 })
  const jpegTimes = await race(
    [
      ['castor', () => removeFromJpeg(jpeg)],
      [
        'jpeg-js',
        () => {
          const image = jpegJs.decode(jpeg, { useTArray: true, maxMemoryUsageInMB: 2048 })
          removeFrom(image)
          return jpegJs.encode({ ...image, data: Buffer.from(image.data.buffer) }, 90)
        },
      ],
    ],
    rounds,
  )
  print(`JPEG ${side}×${side}, quality 90 (${(jpeg.length / 1e6).toFixed(1)} MB)`, jpegTimes, 'jpeg-js')
}

/** Prints all speed tables. */
export async function printSpeed(): Promise<void> {
  for (const side of [1024, 2048]) {
    scratch = copyOf(withMark(drawPicture('clouds', 1, side), 'v1-96'))
    await raceRaw(side, side)
  }
  await raceFiles(1024, 5)
  await raceFiles(2048, 5)
}
