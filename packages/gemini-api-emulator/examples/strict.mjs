// Asks an emulator on a free port, lets it refuse, and makes the next request fail. Run: node examples/strict.mjs
import { faults } from '@castorjs/gemini-api-emulator'
import { startGeminiApiEmulator } from '@castorjs/gemini-api-emulator/node'

const { url, controls, close } = await startGeminiApiEmulator()

async function ask(body, key = 'emulator-key') {
  const response = await fetch(`${url}/v1beta/models/gemini-2.5-flash:generateContent`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-goog-api-key': key },
    body: JSON.stringify(body),
  })
  const { candidates, error } = await response.json()
  console.log(response.status, candidates?.[0].content.parts[0].text ?? error.message)
}

const contents = [{ role: 'user', parts: [{ text: 'Name a river.' }] }]
await ask({ contents })
await ask({ contents }, 'another-key')
await ask({ contents, temprature: 1 })
controls.fail(faults.perMinute('1.5s'))
await ask({ contents })
await close()
