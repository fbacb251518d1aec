/** What is left of a mark, and whom it harms: ours beside the npm peer, on pictures made by the blend law. */
import { locate, remove } from '@castorjs/watermark'
import { removeFromJpeg } from '@castorjs/watermark/jpeg'
import { removeWatermarkFromImageDataSync } from '@pilio/gemini-watermark-remover/image-data'
import jpegJs from 'jpeg-js'
import { createRandom, DECOYS, drawDecoy, drawPicture, KINDS, type Kind } from '../../packages/watermark/test/corpus.ts'
import { writeJpeg } from '../../packages/watermark/test/jpeg-writer.ts'
import { compare, copyOf, MARKS, PLACES, withMark } from '../../packages/watermark/test/marking.ts'

type Picture = ReturnType<typeof drawPicture>

/** Takes the mark off a copy, or says that it saw none. */
type Remover = (picture: Picture) => Picture | undefined

const castor: Remover = (picture) => {
  const copy = copyOf(picture)
  const location = locate(copy)
  if (!location.found) return undefined
  remove(copy, location.placement)
  return copy
}

const pilio: Remover = (picture) => {
  const data = new Uint8ClampedArray(picture.data)
  const result = removeWatermarkFromImageDataSync({ width: picture.width, height: picture.height, data })
  return result.meta.applied ? { ...picture, data: result.imageData.data } : undefined
}

const REMOVERS: [string, Remover][] = [
  ['castor', castor],
  ['@pilio', pilio],
]

/** The peer knows sizes by the app's own; both get a 1K size the app draws. */
const WIDTH = 848
const HEIGHT = 1264
const SEEDS = Number(process.env['SEEDS'] ?? 2)

function median(values: number[]): string {
  if (values.length === 0) return '-'
  return values.sort((a, b) => a - b)[values.length >> 1]!.toFixed(1)
}

const COLOURED: readonly Kind[] = ['leaves', 'clouds', 'gradient', 'lights', 'dark', 'bright', 'texture', 'text']

function boxOf(picture: Picture, mark: (typeof MARKS)[number]) {
  const size = Number(mark.slice(3))
  const margin = PLACES[mark]
  return { x: picture.width - margin - size, y: picture.height - margin - size, width: size, height: size }
}

function drawPictures(): Picture[] {
  return KINDS.flatMap((kind) => Array.from({ length: SEEDS }, (_, seed) => drawPicture(kind, seed, WIDTH, HEIGHT)))
}

/** Prints the lossless table. */
export function printLossless(): void {
  const pictures = drawPictures()
  console.log(
    `\nLossless, ${pictures.length} pictures of ${WIDTH}×${HEIGHT}, ${KINDS.length} kinds (PSNR in the mark's square, dB, median)\n`,
  )
  console.log('| mark | remover | found | PSNR | worst error | changed outside |')
  console.log('|---|---|---|---|---|---|')
  for (const mark of MARKS) {
    for (const [name, remover] of REMOVERS) {
      const psnrs: number[] = []
      let worst = 0
      let outside = 0
      for (const picture of pictures) {
        const marked = withMark(picture, mark)
        const restored = remover(marked)
        if (restored === undefined) continue
        const box = boxOf(picture, mark)
        const error = compare(restored, picture, box)
        psnrs.push(Math.min(99, error.psnr))
        worst = Math.max(worst, error.worst)
        if (compare(restored, marked, { x: 0, y: 0, width: WIDTH, height: box.y }).worst > 0) outside++
      }
      console.log(
        `| ${mark} | ${name} | ${psnrs.length}/${pictures.length} | ${median(psnrs)} | ${worst} | ${outside} |`,
      )
    }
  }
}

/** Prints how often a picture without a mark was changed. */
export function printAlarms(): void {
  const pictures = drawPictures()
  console.log('\nFalse alarms: pictures without a mark that were changed\n')
  console.log('| remover | clean | with something like a mark |')
  console.log('|---|---|---|')
  for (const [name, remover] of REMOVERS) {
    const clean = pictures.filter((picture) => remover(copyOf(picture)) !== undefined).length
    let decoyed = 0
    let decoys = 0
    for (const [i, picture] of pictures.entries()) {
      for (const decoy of DECOYS.filter((_, n) => n % 4 === i % 4)) {
        const mark = MARKS[(i + decoys) % MARKS.length]!
        const copy = copyOf(picture)
        drawDecoy(copy, decoy, Number(mark.slice(3)), PLACES[mark], createRandom(i))
        if (remover(copy) !== undefined) decoyed++
        decoys++
      }
    }
    console.log(`| ${name} | ${clean}/${pictures.length} | ${decoyed}/${decoys} |`)
  }
}

function decode(bytes: Uint8Array): Picture {
  const { width, height, data } = jpegJs.decode(bytes, { useTArray: true, maxMemoryUsageInMB: 2048 })
  return { width, height, data }
}

/** Prints the JPEG table: decoded, restored and stored again by each, measured on the stored file. */
export function printJpeg(): void {
  const side = 416
  const pictures = COLOURED.flatMap((kind) => Array.from({ length: SEEDS }, (_, seed) => drawPicture(kind, seed, side)))
  console.log(`\nJPEG 4:2:0, ${pictures.length} pictures of ${side}×${side} (PSNR in the square, dB, median; found)\n`)
  console.log('| mark | quality | marked | castor | decode + inverse + encode | JPEG of the unmarked picture |')
  console.log('|---|---|---|---|---|---|')
  for (const mark of MARKS) {
    for (const quality of [75, 85, 95]) {
      const columns: Record<'marked' | 'castor' | 'plain' | 'unmarked', number[]> = {
        marked: [],
        castor: [],
        plain: [],
        unmarked: [],
      }
      for (const picture of pictures) {
        const box = boxOf(picture, mark)
        const file = writeJpeg(withMark(picture, mark), { quality })
        const before = decode(file)
        columns.marked.push(compare(before, picture, box).psnr)
        columns.unmarked.push(compare(decode(writeJpeg(picture, { quality })), picture, box).psnr)
        const result = removeFromJpeg(file)
        if (!result.changed) continue
        columns.castor.push(compare(decode(result.bytes), picture, box).psnr)
        const location = locate(before)
        if (!location.found) continue
        remove(before, { ...location.placement, lossless: false })
        const stored = jpegJs.encode({ ...before, data: Buffer.from(before.data) }, quality)
        columns.plain.push(compare(decode(stored.data), picture, box).psnr)
      }
      console.log(
        `| ${mark} | ${quality} | ${median(columns.marked)} | ${median(columns.castor)} (${columns.castor.length}/${pictures.length}) | ${median(columns.plain)} | ${median(columns.unmarked)} |`,
      )
    }
  }
}
