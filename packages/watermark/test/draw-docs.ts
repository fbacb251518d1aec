/** Draws `docs/before-after.png` of the README: each mark on a made-up picture, and what the package gives back. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { locate } from '../src/locate.ts'
import { remove } from '../src/remove.ts'
import type { RawImage } from '../src/image.ts'
import { drawPicture, type Kind } from './corpus.ts'
import { copyOf, MARKS, PLACES, withMark } from './marking.ts'
import { writePng } from './png-writer.ts'

const TILE = 128
const GAP = 6
const SCENES: readonly (readonly [Kind, number])[] = [
  ['lights', 2],
  ['leaves', 5],
  ['clouds', 9],
  ['gradient', 3],
]

const sheet: RawImage = {
  width: SCENES.length * (TILE + GAP) - GAP,
  height: 2 * TILE + GAP,
  data: new Uint8ClampedArray((SCENES.length * (TILE + GAP) - GAP) * (2 * TILE + GAP) * 4).fill(255),
}

function paste(from: RawImage, left: number, top: number, column: number, row: number): void {
  for (let y = 0; y < TILE; y++) {
    const start = ((top + y) * from.width + left) * 4
    const to = ((row * (TILE + GAP) + y) * sheet.width + column * (TILE + GAP)) * 4
    sheet.data.set(from.data.subarray(start, start + TILE * 4), to)
  }
}

SCENES.forEach(([kind, seed], column) => {
  const mark = MARKS[column]!
  const original = drawPicture(kind, seed, 320)
  const before = withMark(original, mark)
  const after = copyOf(before)
  const location = locate(after)
  if (!location.found) throw new Error(`${mark} was not found`)
  remove(after, location.placement)
  const middle = 320 - PLACES[mark] - Number(mark.slice(3)) / 2
  const corner = Math.min(320 - TILE, Math.max(0, middle - TILE / 2))
  paste(before, corner, corner, column, 0)
  paste(after, corner, corner, column, 1)
})

writeFileSync(join(import.meta.dirname, '../docs/before-after.png'), writePng(sheet, { pixelBytes: 3, level: 9 }))
