// Asks Code Assist one question. Without a file of credentials it asks an emulator.
// Run: node examples/ask.mjs [oauth_creds.json] (GOOGLE_CLOUD_PROJECT=… where the account needs one)
import { createCodeAssistGenerator } from '@castorjs/code-assist-client'
import { createTokenFile } from '@castorjs/code-assist-client/node'
import { startGeminiApiEmulator } from '@castorjs/gemini-api-emulator/node'

const path = process.argv[2]
const emulator = path === undefined ? await startGeminiApiEmulator() : undefined
const file = path === undefined ? undefined : createTokenFile(path)
const project = process.env.GOOGLE_CLOUD_PROJECT
const generator = createCodeAssistGenerator({
  credentials: (await file?.load()) ?? { accessToken: 'emulator-access-token' },
  ...(file === undefined ? {} : { storage: file }),
  ...(emulator === undefined ? {} : { baseUrl: emulator.url, tokenUrl: `${emulator.url}/token` }),
  ...(project === undefined ? {} : { project }),
})
const request = { model: 'gemini-2.5-flash', contents: [{ role: 'user', parts: [{ text: 'Name a river.' }] }] }
for await (const chunk of generator.generateContentStream(request, {
  signal: AbortSignal.timeout(60_000),
  requestId: 'example',
})) {
  for (const part of chunk.candidates?.[0]?.content?.parts ?? []) process.stdout.write(part.text ?? '')
}
process.stdout.write('\n')
await emulator?.close()
