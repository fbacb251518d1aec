// Asks the official Gemini API one question and prints the answer as it comes.
// Run: GEMINI_API_KEY=… node examples/ask.mjs "Name a river."
import { createGeminiApiGenerator } from '@castorjs/gemini-api-client'

const generator = createGeminiApiGenerator({
  apiKey: process.env.GEMINI_API_KEY ?? '',
  // Any server that speaks Google's API; leave it out for Google's own.
  ...(process.env.GEMINI_BASE_URL === undefined ? {} : { baseUrl: process.env.GEMINI_BASE_URL }),
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
