// Google's own SDK talks to the handler on a port of this machine. Run it after `npm run build`:
//   node packages/gemini-native-adapter/examples/in-process.mjs
import { finalChunk, partsChunk, textPart } from '@castorjs/content-generator'
import { createGeminiNativeHandler } from '@castorjs/gemini-native-adapter'
import { GoogleGenAI } from '@google/genai'
import { serve } from '@hono/node-server'

const generator = {
  name: 'echo',
  async *generateContentStream({ contents }) {
    yield partsChunk([textPart(`You said: ${contents.at(-1)?.parts?.[0]?.text ?? ''}`)])
    yield finalChunk('STOP')
  },
  models: async () => [{ name: 'echo-1' }],
}
const handler = createGeminiNativeHandler({ generator, authorize: 'anyone' })
const server = await new Promise((resolve) => {
  const started = serve({ fetch: handler, hostname: '127.0.0.1', port: 0 }, () => resolve(started))
})

const baseUrl = `http://127.0.0.1:${server.address().port}`
const ai = new GoogleGenAI({ apiKey: 'anything', httpOptions: { baseUrl } })
console.log((await ai.models.generateContent({ model: 'echo-1', contents: 'Hello, Castor' })).text)
server.closeAllConnections()
server.close()
