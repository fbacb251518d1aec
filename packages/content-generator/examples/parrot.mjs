// The smallest upstream there is, read whole and as events. Run: node examples/parrot.mjs
import { collect, finalChunk, partsChunk, textPart, toEvents } from '@castorjs/content-generator'

const parrot = {
  name: 'parrot',
  async *generateContentStream({ contents }) {
    for (const word of (contents.at(-1)?.parts?.[0]?.text ?? '').split(/(?<= )/)) yield partsChunk([textPart(word)])
    yield finalChunk('STOP')
  },
  models: async () => [{ name: 'parrot-1' }],
}

const request = { model: 'parrot-1', contents: [{ role: 'user', parts: [{ text: 'hello there' }] }] }
const ask = () => parrot.generateContentStream(request, { signal: new AbortController().signal, requestId: 'example' })
console.log((await collect(ask())).candidates[0].content.parts)
for await (const event of toEvents(ask())) console.log(event.type, event.text ?? event.reason ?? '')
