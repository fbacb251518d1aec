// Asks one question. With EMULATOR=1 against a local emulator, else with the cookies in GEMINI_COOKIES, or as a guest.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createGeminiWebClient } from '@castorjs/gemini-web-client'

const emulator = process.env.EMULATOR === '1' ? await startEmulator() : undefined
const file = 'session.json' // holds secrets: keep it yours alone
const client = createGeminiWebClient({
  cookies: emulator?.cookies ?? process.env.GEMINI_COOKIES,
  ...(emulator
    ? { baseUrls: emulator.hosts }
    : {
        store: {
          load: () => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined),
          save: (state) => writeFileSync(file, JSON.stringify(state), { mode: 0o600 }),
        },
      }),
})

for await (const event of client.stream(process.argv[2] ?? 'Why is the sky blue?', { temporary: true })) {
  if (event.type === 'text-delta') process.stdout.write(event.text)
  if (event.type === 'reply') console.log('\nanswered by', event.reply.servedModelName)
}
await client.close()
await emulator?.close()

async function startEmulator() {
  const { startGeminiWebEmulator } = await import('@castorjs/gemini-web-emulator/node')
  const running = await startGeminiWebEmulator({ port: 0 })
  return {
    hosts: running.hosts,
    close: () => running.close(),
    cookies: '__Secure-1PSID=g.a000castor-demo-ada; __Secure-1PSIDTS=sidts-castor-demo-ada',
  }
}
