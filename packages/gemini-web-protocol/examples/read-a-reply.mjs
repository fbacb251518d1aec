// Writes a reply as the web app would stream it, then reads it back in pieces of 16 bytes.
//   node examples/read-a-reply.mjs
import {
  ackMessage,
  createDeltaWriter,
  createFrameEncoder,
  createReplyDecoder,
  messageEntry,
  snapshotMessage,
  trailerEntries,
} from '@castorjs/gemini-web-protocol'

const ids = { chatId: 'c_1', responseId: 'r_1' }
const encoder = createFrameEncoder()
const snapshot = (text, complete = false) =>
  encoder.push([
    messageEntry(snapshotMessage({ ...ids, candidates: [{ id: 'rc_1', text, complete }], modelName: '3.6 Flash' })),
  ])

const wire =
  encoder.push([messageEntry(ackMessage(ids))]) +
  snapshot('Water boils') +
  snapshot('Water boils at 100 °C') +
  snapshot('Water boils at 100 °C at sea level. 🌊', true) +
  encoder.push(trailerEntries({ ms: 2_310 })) +
  encoder.end()

const bytes = new TextEncoder().encode(wire)
const decoder = createReplyDecoder()
const writer = createDeltaWriter()
for (let from = 0; from < bytes.length; from += 16) {
  for (const update of decoder.push(bytes.subarray(from, from + 16))) {
    if (update.text !== undefined) console.log('delta:', JSON.stringify(writer.apply(update.text)))
  }
}
decoder.finish()
console.log('rest: ', JSON.stringify(writer.finish()))
console.log(
  'served by',
  decoder.reply.servedModelName,
  '| complete:',
  decoder.reply.complete,
  '| ended:',
  decoder.reply.ended,
)
