// The official SDK talks to the handler without a socket. Run it after `npm run build`:
//   node packages/openai-adapter/examples/in-process.mjs
import { finalChunk, partsChunk, textPart } from '@castorjs/content-generator'
import { createOpenAIHandler } from '@castorjs/openai-adapter'
import OpenAI from 'openai'

// Anything that can answer a generateContent request; Castor's clients are such things.
const generator = {
  name: 'echo',
  async *generateContentStream(request) {
    const question = request.contents
      .at(-1)
      .parts.map((part) => part.text)
      .join('')
    for (const word of `You said: ${question}`.split(/(?<= )/)) yield partsChunk([textPart(word)])
    yield finalChunk('STOP', { usageMetadata: { promptTokenCount: 4, candidatesTokenCount: 6 } })
  },
  models: async () => [{ name: 'echo-1' }],
}

const handler = createOpenAIHandler({ generator, authorize: 'anyone' })
const client = new OpenAI({
  apiKey: 'none',
  baseURL: 'http://castor/v1',
  fetch: (url, init) => handler(new Request(url, init)),
})

const stream = await client.chat.completions.create({
  model: 'echo-1',
  messages: [{ role: 'user', content: 'Hello, Castor' }],
  stream: true,
})
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '')
process.stdout.write('\n')
console.log((await client.models.list()).data.map((model) => model.id))
