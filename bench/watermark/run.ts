/**
 * Quality and speed of the watermark package beside the npm peer, the plain jimp path and the plain jpeg-js path.
 * Needs a build (`npm run build`). `SEEDS` sets how many pictures of each kind are drawn (default 2).
 */
import { printAlarms, printJpeg, printLossless } from './quality.ts'
import { printSpeed } from './speed.ts'

const parts: Record<string, () => unknown> = {
  lossless: printLossless,
  alarms: printAlarms,
  jpeg: printJpeg,
  speed: printSpeed,
}
const asked = process.argv.slice(2)
for (const [name, print] of Object.entries(parts)) {
  if (asked.length === 0 || asked.includes(name)) await print()
}
