// Starts an emulator on a free port, asks it something, makes the next request fail, and closes it.
import { startGeminiWebEmulator } from '@castorjs/gemini-web-emulator/node'
import { buildPromptForm, formHeaders, readReply, streamGenerateUrl } from '@castorjs/gemini-web-protocol'

const running = await startGeminiWebEmulator({ port: 0 })

async function ask(prompt) {
  const response = await fetch(streamGenerateUrl(running.hosts.app), {
    method: 'POST',
    headers: formHeaders(),
    body: buildPromptForm({ prompt, requestId: crypto.randomUUID().toUpperCase() }),
  })
  return readReply(await response.text())
}

console.log((await ask('Count to 5')).text)

running.emulator.controls.fail({ kind: 'code', code: 1037 })
console.log((await ask('Count to 5')).refusals)

console.log(running.emulator.controls.requests.map(({ caller, path, status }) => `${caller} ${status} ${path}`))
await running.close()
