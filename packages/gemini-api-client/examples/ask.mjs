// Asks the official Gemini API one question and prints the answer as it comes. Without a key it asks an emulator.
// Run: GEMINI_API_KEY=… node examples/ask.mjs "Name a river."
import { createGeminiApiGenerator } from '@castorjs/gemini-api-client'
import { startGeminiApiEmulator } from '@castorjs/gemini-api-emulator/node'

const { GEMINI_API_KEY: apiKey } = process.env
const emulator = apiKey === undefined ? await startGeminiApiEmulator() : undefined
const generator = createGeminiApiGenerator({
  apiKey: apiKey ?? 'emulator-key',
  ...(emulator === undefined ? {} : { baseUrl: emulator.url }),
})
const request = {
  model: 'gemini-2.5-flash',
  contents: [{ role: 'user', parts: [{ text: process.argv[2] ?? 'Name a river.' }] }],
}
const options = { signal: AbortSignal.timeout(60_000), requestId: 'example' }

for await (const chunk of generator.generateContentStream(request, options)) {
  for (const part of chunk.candidates?.[0]?.content?.parts ?? []) process.stdout.write(part.text ?? '')
}
process.stdout.write('\n')
await emulator?.close()
