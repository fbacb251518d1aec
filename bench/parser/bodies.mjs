/** Synthetic StreamGenerate bodies: cumulative snapshots of a mixed text, and one large reply. */

import {
  ackMessage,
  contextMessage,
  createFrameEncoder,
  messageEntry,
  snapshotMessage,
  titleMessage,
  trailerEntries,
} from '@castorjs/gemini-web-protocol'

const ids = { chatId: 'c_1a2b3c4d5e6f7081', responseId: 'r_0f1e2d3c4b5a6978' }
const candidateId = 'rc_7766554433221100'

/** English, code, CJK and emoji in turn, about the blend of a technical answer in two languages. */
const PARTS = [
  'The parser keeps the bytes of the last snapshot & compares what arrives with them, so a repeated start costs a comparison and nothing else. ',
  'Only the part that departs is decoded; "quoted" words, a back\\slash and <angle brackets> are escaped on the wire.\n\n',
  '```js\nconst total = items.reduce((sum, { price = 0 }) => sum + price, 0)\nif (total > 100 && user.isMember) console.log(`free shipping: ${total}`)\n```\n\n',
  '* 最初のスナップショットと最後のスナップショットは同じ長さではありません。\n* 流式回复每次都会重复之前的全部内容，因此只应处理新增的部分。\n',
  'Status: ✅ done 🚀 👩‍🚀 🇯🇵 — «naïve café», Ünïcode.\n',
]

export function mixedText(units) {
  let text = ''
  for (let index = 0; text.length < units; index++) text += `${index + 1}. ${PARTS[index % PARTS.length]}`
  return text.slice(0, units).replace(/[\ud800-\udbff]$/, '')
}

/** Snapshots that grow evenly to `text`. `nodes` repeats the answer as parsed nodes, as some captures do. */
export function cumulativeBody(text, snapshots, { nodes = false, thoughts } = {}) {
  const encoder = createFrameEncoder()
  const pieces = [encoder.push([messageEntry(ackMessage(ids))])]
  for (let index = 1; index <= snapshots; index++) {
    const end = Math.round((text.length * index) / snapshots)
    const part = text.slice(0, end).replace(/[\ud800-\udbff]$/, '')
    const complete = index === snapshots
    const message = snapshotMessage({
      ...ids,
      candidates: [{ id: candidateId, text: part, complete, ...(thoughts === undefined ? {} : { thoughts }) }],
      modelId: 'fbb127bbb056c959',
      modelName: '3.6 Flash',
      ...(nodes ? { nodes: part.split('\n\n').map((paragraph) => [null, [null, 0, paragraph]]) } : {}),
    })
    pieces.push(encoder.push([messageEntry(message)]))
  }
  pieces.push(encoder.push([messageEntry(titleMessage({ ...ids, title: 'Bench' }))]))
  pieces.push(encoder.push([messageEntry(contextMessage({ ...ids, contextToken: 'AwAAAAbench' }))]))
  pieces.push(encoder.push(trailerEntries({ ms: 2_310 })), encoder.end())
  return new TextEncoder().encode(pieces.join(''))
}
