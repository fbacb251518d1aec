import { DEMO_ACCOUNTS, emulatorBaseUrls } from '@castorjs/gemini-web-emulator'
import { startGeminiWebEmulator, type RunningEmulator } from '@castorjs/gemini-web-emulator/node'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { bundleCli, killCli, startCli, type Cli, type CliProcess } from './cli-process.ts'

const [ada] = DEMO_ACCOUNTS
/** Longer than a repeat of the same signal takes. */
const LATER_MS = 1_200

let cli: Cli
let emulator: RunningEmulator
let folder: string
let gateway: CliProcess
beforeAll(async () => {
  cli = await bundleCli()
  emulator = await startGeminiWebEmulator({ port: 0 })
})
afterAll(async () => {
  await emulator.close()
  cli.remove()
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'castor-signals-'))
  const accounts = [{ label: 'ada', secure1psid: ada?.session, secure1psidts: ada?.ticket }]
  const settings = { accounts, geminiWeb: { baseUrls: emulatorBaseUrls(emulator.url) } }
  writeFileSync(join(folder, 'castor.config.json'), JSON.stringify(settings))
  gateway = startCli(cli, ['serve'], folder, { HOST: '127.0.0.1', PORT: '0' })
})
afterEach(async () => {
  await killCli(gateway)
  rmSync(folder, { recursive: true, force: true })
})

/** Begins an answer that pauses for `ms` after its first words. */
async function begin(ms: number): Promise<AsyncIterator<Uint8Array>> {
  const url = (await gateway.said(/serves at (http:\S+?)"/))[1] ?? ''
  emulator.emulator.controls.reset()
  emulator.emulator.controls.fail({ kind: 'stall', ms, afterFrames: 3 })
  const messages = [{ role: 'user', content: 'Count to 100.' }]
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gemini-2.5-flash', stream: true, messages }),
  })
  expect(response.status).toBe(200)
  const pieces = (response.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
  await pieces.next()
  return pieces
}

async function readRest(pieces: AsyncIterator<Uint8Array>): Promise<string> {
  let text = ''
  for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
    text += Buffer.from(next.value).toString()
  }
  return text
}

describe('Ctrl-C', () => {
  it('that comes twice, from the terminal and from npm, is one: the answer in progress is finished', async () => {
    const pieces = await begin(1_500)
    gateway.child.kill('SIGINT')
    await gateway.said(/Stopping/)
    gateway.child.kill('SIGINT')
    expect(await readRest(pieces)).toContain('data: [DONE]')
    expect((await gateway.ended).code).toBe(0)
  })

  it('pressed again ends at once', async () => {
    const pieces = await begin(60_000)
    gateway.child.kill('SIGINT')
    await gateway.said(/Stopping/)
    await pause(LATER_MS)
    gateway.child.kill('SIGINT')
    await expect(readRest(pieces)).rejects.toThrow('terminated')
    expect((await gateway.ended).code).toBe(1)
  })
})
