/**
 * Bytes to deltas: our production decoder beside a plain one that JSON-parses every snapshot whole,
 * in the same process and on the same bodies. Prints MB/s of wire bytes; never fails on time.
 *
 *   npm run build && node bench/parser/parser.mjs
 */

import { createDeltaWriter, createReplyDecoder } from '@castorjs/gemini-web-protocol'
import { cumulativeBody, mixedText } from './bodies.mjs'
import { createPlainDecoder } from './plain-decoder.mjs'

const READS = [4_096, 16_384, 65_536]
const ROUNDS = 7

function ours(body, size) {
  const decoder = createReplyDecoder()
  const writer = createDeltaWriter({ clean: false })
  const deltas = []
  for (let from = 0; from < body.length; from += size) {
    for (const update of decoder.push(body.subarray(from, from + size))) {
      if (update.text !== undefined) deltas.push(writer.apply(update.text))
    }
  }
  decoder.finish()
  deltas.push(writer.finish())
  return deltas
}

function plain(body, size) {
  const decoder = createPlainDecoder()
  const deltas = []
  for (let from = 0; from < body.length; from += size) deltas.push(...decoder.push(body.subarray(from, from + size)))
  return deltas
}

/** Best of several rounds, in milliseconds, taking turns so that both meet the same noise. */
function race(runs) {
  const best = runs.map(() => Infinity)
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, run] of runs.entries()) {
      const start = process.cpuUsage()
      run()
      const used = process.cpuUsage(start)
      best[index] = Math.min(best[index], (used.user + used.system) / 1_000)
    }
  }
  return best
}

const text = mixedText(200_000)
const ascii = text.replace(/[^ -~\n]/g, 'x')
const cjk = '流式回复每次都会重复之前的全部内容，'.repeat(12_000).slice(0, 200_000)
const bodies = [
  { name: '400 snapshots to 200k, mixed', text, body: cumulativeBody(text, 400) },
  { name: 'same, ASCII only', text: ascii, body: cumulativeBody(ascii, 400) },
  { name: 'same, CJK only', text: cjk, body: cumulativeBody(cjk, 400) },
  { name: 'mixed, after 20k of thoughts', text, body: cumulativeBody(text, 400, { thoughts: mixedText(20_000) }) },
  { name: 'mixed, answer repeated as nodes', text, body: cumulativeBody(text, 400, { nodes: true }) },
  { name: '2 MB in one reply', text: mixedText(1_700_000), body: cumulativeBody(mixedText(1_700_000), 1) },
]

console.log(`bytes to deltas on Node ${process.version}; best CPU time of ${ROUNDS} rounds\n`)
console.log(
  ['body'.padEnd(32), 'wire MB', 'read', 'plain ms', 'plain MB/s', 'ours ms', 'ours MB/s', 'ratio'].join('\t'),
)
for (const { name, text: expected, body } of bodies) {
  for (const size of READS) {
    const told = [plain(body, size).join(''), ours(body, size).join('')]
    if (told.some((result) => result !== expected)) console.log(`${name}: a decoder told another text`)
    const [plainMs, oursMs] = race([() => plain(body, size), () => ours(body, size)])
    const megabytes = body.length / 1e6
    const cells = [
      name.padEnd(32),
      megabytes.toFixed(1),
      `${size / 1_024}K`,
      plainMs.toFixed(0),
      ((megabytes / plainMs) * 1_000).toFixed(0),
      oursMs.toFixed(0),
      ((megabytes / oursMs) * 1_000).toFixed(0),
      `${(plainMs / oursMs).toFixed(1)}x`,
    ]
    console.log(cells.join('\t'))
  }
}
