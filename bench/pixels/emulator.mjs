// The emulator, with the mark of the web app in its pictures.
import { startGeminiWebEmulator } from '@castorjs/gemini-web-emulator/node'
import { markModels } from '@castorjs/watermark'

const [model] = markModels('v2-96')
function drawMark({ width, height, data }) {
  // Grain as photographs have it: without it a picture of 4096² would be a file of 1 MB instead of some 20.
  let seed = 1
  for (let index = 0; index < data.length; index++) {
    if ((index & 3) === 3) continue
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    data[index] += seed >>> 29
  }
  const margin = 192 + model.size
  for (let index = 0; index < model.alpha.length; index++) {
    const x = width - margin + (index % model.size)
    const y = height - margin + Math.floor(index / model.size)
    const at = (y * width + x) * 4
    const alpha = model.alpha[index]
    for (let c = at; c < at + 3; c++) data[c] = Math.round(alpha * model.colour[index] + data[c] * (1 - alpha))
  }
}

const emulator = await startGeminiWebEmulator({ port: 0, drawMark })
process.send({ port: Number(new URL(emulator.url).port) })
process.on('disconnect', () => process.exit())
