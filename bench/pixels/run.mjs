// Ten pictures of 4096² at once through the whole gateway: how long is its main thread ever held up, and how much
// memory does it take? An idle run of the same length shows what the machine alone does.
import { DEMO_ACCOUNTS } from '@castorjs/gemini-web-emulator'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

const PICTURES = Number(process.argv[2] ?? 10)
const MODEL = 'gemini-3-pro-image-preview-4k'

async function start(script, env = {}) {
  const child = fork(new URL(script, import.meta.url).pathname, { env: { ...process.env, ...env }, stdio: 'inherit' })
  const [{ port }] = await once(child, 'message')
  return { child, url: `http://127.0.0.1:${port}` }
}

async function ask(child, message) {
  child.send(message)
  return (await once(child, 'message'))[0]
}

const [{ session, ticket }] = DEMO_ACCOUNTS
const emulator = await start('./emulator.mjs')
const gateway = await start('./gateway.mjs', {
  EMULATOR_URL: emulator.url,
  EMULATOR_ACCOUNT: `${session} ${ticket}`,
})

async function draw(body) {
  const response = await fetch(`${gateway.url}/v1/images/generations?remove_watermark=true`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: 'Draw a harbour', model: MODEL, ...body }),
  })
  let bytes = 0
  for await (const piece of response.body) bytes += piece.length
  if (response.status !== 200) throw new Error(`The gateway answered ${response.status}`)
  return bytes
}

/** Resident memory in bytes, as Linux says it. */
const rssOf = ({ pid }) => 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))[1])

async function measure(name, work) {
  await ask(gateway.child, 'begin')
  const begun = rssOf(gateway.child)
  let rss = begun
  const timer = setInterval(() => (rss = Math.max(rss, rssOf(gateway.child))), 50)
  const startedAt = performance.now()
  const bytes = await work()
  const seconds = (performance.now() - startedAt) / 1000
  clearInterval(timer)
  const { longestMs } = await ask(gateway.child, 'end')
  console.log(
    `${name.padEnd(36)} longest block ${longestMs.toFixed(1).padStart(7)} ms   memory ${(begun / 1e6).toFixed(0)} -> ${(rss / 1e6).toFixed(0)} MB   ${seconds.toFixed(1)} s   ${(bytes / 1e6).toFixed(1)} MB answered`,
  )
}

const all = async (body) => {
  const sizes = await Promise.all(Array.from({ length: PICTURES }, () => draw(body)))
  return sizes.reduce((sum, size) => sum + size, 0)
}

try {
  await draw({ response_format: 'url' })
  await measure('idle, for comparison', () => new Promise((done) => setTimeout(() => done(0), 10_000)))
  await measure(`${PICTURES} by URL, mark removed`, () => all({ response_format: 'url' }))
  await measure(`${PICTURES} as base64, mark removed`, () => all({ response_format: 'b64_json' }))
  await measure('1 resized to 3000x2000, as base64', () => draw({ size: '3000x2000' }))
} finally {
  gateway.child.disconnect()
  emulator.child.disconnect()
}
