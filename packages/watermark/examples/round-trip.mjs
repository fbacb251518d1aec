// Draws a mark on a picture by the published blend law, finds it and takes it off again.
// Run after a build: node examples/round-trip.mjs
import { locate, markModels, remove } from '@castorjs/watermark'

const width = 640
const height = 480
const original = new Uint8ClampedArray(width * height * 4)
for (let i = 0; i < width * height; i++) {
  const [x, y] = [i % width, Math.floor(i / width)]
  original.set([40 + (x * 90) / width, 60 + (y * 120) / height, 140, 255], i * 4)
}

const [mark] = markModels('v2-48')
const margin = 96
const data = original.slice()
for (let y = 0; y < mark.size; y++) {
  for (let x = 0; x < mark.size; x++) {
    const alpha = mark.alpha[y * mark.size + x]
    const at = ((height - margin - mark.size + y) * width + width - margin - mark.size + x) * 4
    for (let c = at; c < at + 3; c++) data[c] = Math.round(255 * alpha + data[c] * (1 - alpha))
  }
}

const image = { width, height, data }
const location = locate(image)
if (!location.found) throw new Error(`not found: ${location.reason}`)
const report = remove(image, location.placement)
const worst = data.reduce((most, value, i) => Math.max(most, Math.abs(value - original[i])), 0)
console.log(report, `confidence ${location.confidence.toFixed(3)}, worst error ${worst} of 255`)
