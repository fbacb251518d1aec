import { isStateError } from '@castorjs/state-store'
import { DEMO_ACCOUNTS, emulatorBaseUrls } from '@castorjs/gemini-web-emulator'
import { startGeminiWebEmulator, type RunningEmulator } from '@castorjs/gemini-web-emulator/node'
import { appendFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readImport } from '@castorjs/cookie-import'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openAccountDesk } from '../src/accounts/account-desk.ts'
import { rotateStateKey } from '../src/commands/state.ts'
import { parseConfig } from '../src/config.ts'
import type { Config } from '../src/config-schema.ts'
import { startGateway } from '../src/gateway.ts'
import { openState } from '../src/state/open-state.ts'

const [ada] = DEMO_ACCOUNTS
const HEADER = `__Secure-1PSID=${ada?.session}; __Secure-1PSIDTS=${ada?.ticket}`

let emulator: RunningEmulator
let dataDir: string
beforeAll(async () => {
  emulator = await startGeminiWebEmulator({ port: 0 })
})
afterAll(() => emulator.close())
beforeEach(() => {
  emulator.emulator.controls.reset()
  dataDir = mkdtempSync(join(tmpdir(), 'castor-state-test-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

const config = (more: object = {}): Config =>
  parseConfig({ host: '127.0.0.1', port: 0, dataDir, geminiWeb: { baseUrls: emulatorBaseUrls(emulator.url) }, ...more })
const start = (own: Config) => startGateway(own, { log: pino({ level: 'silent' }) })
const key = (letter: string) => Buffer.alloc(32, letter).toString('base64')

async function addAda(own: Config = config()): Promise<void> {
  const desk = await openAccountDesk(own)
  await desk.add(readImport(HEADER), { label: 'ada' })
  await desk.close()
}

/** Everything under the data directory, as text. */
function written(): string {
  const files = readdirSync(dataDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return files.map((file) => readFileSync(join(file.parentPath, file.name), 'latin1')).join('\n')
}

describe('what is kept', () => {
  it('holds no cookie in clear, and the key file is its owner’s alone', async () => {
    await addAda()
    expect(written()).not.toMatch(/g\.a000|sidts-/)
    expect(statSync(join(dataDir, 'state.key')).mode & 0o777).toBe(0o600)
  })

  it('is there after a restart, and an old .env never overwrites newer cookies', async () => {
    const configured = { accounts: [{ label: 'ada', secure1psid: ada?.session, secure1psidts: ada?.ticket }] }
    const desk = await openAccountDesk(config(configured))
    for await (const step of desk.check('ada')) expect(step.outcome).not.toBe('failed')
    await desk.close()
    emulator.emulator.controls.expireTicket('ada')
    const renewing = await openAccountDesk(config(configured))
    for await (const step of renewing.check('ada')) expect(step.outcome).not.toBe('failed')
    await renewing.close()
    expect(emulator.emulator.controls.accounts()[0]?.rotations).toBe(1)
    // The first ticket of the .env is worth nothing now; a third start works on what was stored.
    emulator.emulator.controls.advance(120_000)
    const gateway = await start(config(configured))
    try {
      const answer = await fetch(`${gateway.url}/v1/generate`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ prompt: 'Repeat exactly: fine' }),
      })
      expect(await answer.json()).toMatchObject({ text: 'fine' })
      expect(emulator.emulator.controls.accounts()[0]?.rotations).toBe(1)
    } finally {
      await gateway.close(0)
    }
  })

  it('is sealed anew by rotate-key', async () => {
    await addAda()
    const old = readFileSync(join(dataDir, 'state.key'), 'utf8')
    expect(await rotateStateKey(config())).toMatch(/records were sealed anew/)
    const fresh = readFileSync(join(dataDir, 'state.key'), 'utf8')
    expect([fresh.split('\n').length, fresh === old]).toEqual([2, false])
    // Nothing is left on the disk that whoever has the old key could open.
    const [oldId = '?', newId = '?'] = [old, fresh].map((file) => file.split(' ')[0])
    expect(written()).not.toContain(oldId)
    expect(written()).toContain(newId)
    const desk = await openAccountDesk(config())
    expect((await desk.list()).map(({ id }) => id)).toEqual(['ada'])
    await desk.close()
  })

  it('leaves no old key beside it when a rotation before was killed while it wrote', async () => {
    await addAda()
    const old = readFileSync(join(dataDir, 'state.key'), 'utf8')
    writeFileSync(join(dataDir, 'state.key.1bb9859b-09ac-4cc7-9f23-5964980345d5'), old)
    await rotateStateKey(config())
    expect(readdirSync(dataDir).filter((name) => name.startsWith('state.key'))).toEqual(['state.key'])
  })

  it.each([
    ['the key file', undefined, undefined],
    ['keys of the operator’s', ['one'], ['two', 'one']],
  ])('is sealed anew but for damaged files, which rotate-key names (%s)', async (_, before, after) => {
    const configOf = (ids: string[] | undefined) =>
      config(ids === undefined ? {} : { state: { keys: ids.map((id) => ({ id, key: key(id.slice(0, 1)) })) } })
    await addAda(configOf(before))
    const folder = join(dataDir, 'state')
    const log = join(folder, 'state.log')
    writeFileSync(log, readFileSync(log, 'latin1').replace('"r":"castor', '"R":"castor'), 'latin1')
    await (await openState(configOf(before))).close()
    const [aside = '?'] = readdirSync(folder).filter((name) => name !== 'state.log')
    const answer = `The old one still opens what is in a damaged file that was kept aside: ${join(folder, aside)}. Take out`
    expect(await rotateStateKey(configOf(after))).toContain(answer)
    // Again until it is gone.
    expect(await rotateStateKey(configOf(after))).toContain(answer)
    rmSync(join(folder, aside))
    expect(await rotateStateKey(configOf(after))).not.toContain('The old one')
  })

  it('is sealed anew with keys of the operator’s', async () => {
    const [one, two] = [
      { id: 'one', key: key('a') },
      { id: 'two', key: key('b') },
    ]
    await addAda(config({ state: { keys: [one] } }))
    expect(await rotateStateKey(config({ state: { keys: [one] } }))).toMatch(/Put a new key in front/)
    expect(await rotateStateKey(config({ state: { keys: [two, one] } }))).toMatch(/with the key "two"/)
    const state = await openState(config({ state: { keys: [two] } }))
    await state.close()
  })
})

describe('the start is refused', () => {
  it('with another key, saying why and what to do', async () => {
    await addAda()
    writeFileSync(join(dataDir, 'state.key'), `k1 ${key('x')}\n`)
    await expect(start(config())).rejects.toThrow(
      expect.objectContaining({ code: 'wrong_key', message: expect.stringMatching(/state\.key.*from a backup/) }),
    )
  })

  it('while another process has the state, and rotate-key too', async () => {
    const state = await openState(config())
    const refused = await start(config()).catch((error: unknown) => error)
    expect(isStateError(refused) && refused.code).toBe('in_use')
    await expect(rotateStateKey(config())).rejects.toThrow(expect.objectContaining({ code: 'in_use' }))
    await state.close()
  })
})

it.each([
  [
    'gone',
    (log: string) => rmSync(log),
    /^There is a key in \S+state\.key, but there was no state in the folder "state" beside it/,
  ],
  [
    'cut at the end of a line',
    (log: string) => {
      const text = readFileSync(log, 'latin1')
      writeFileSync(log, text.slice(0, text.indexOf('\n', text.indexOf('\n') + 1) + 1), 'latin1')
    },
    /state\.log was cut: \d+ of \d+ bytes are left\. 1 changes could be read/,
  ],
])('starts on a state that is %s, and says in the log and in /health what is missing', async (_, harm, warning) => {
  await start(config()).then((gateway) => gateway.close(0))
  await addAda()
  harm(join(dataDir, 'state', 'state.log'))
  const said: string[] = []
  const gateway = await startGateway(config(), {
    log: pino({ base: null }, { write: (line: string) => void said.push((JSON.parse(line) as { msg: string }).msg) }),
  })
  const health = (await (await fetch(`${gateway.url}/health`)).json()) as { state: { warnings: string[] } }
  await gateway.close(0)
  expect(health.state.warnings).toEqual([expect.stringMatching(warning)])
  expect(said).toContain(health.state.warnings[0])
  // Said once: from then on it is the state.
  const state = await openState(config())
  expect(state.status().warnings).toEqual([])
  await state.close()
})

it('goes on with what can be read of a damaged state, and names the file', async () => {
  await addAda()
  const log = join(dataDir, 'state', 'state.log')
  const text = readFileSync(log, 'latin1')
  const middle = text.indexOf('\n') + 20
  writeFileSync(log, `${text.slice(0, middle)}#${text.slice(middle + 1)}`, 'latin1')
  appendFileSync(log, '')
  const gateway = await start(config())
  try {
    const health = (await (await fetch(`${gateway.url}/health`)).json()) as { state: { warnings: string[] } }
    expect(health.state.warnings.join(' ')).toMatch(/damaged/)
  } finally {
    await gateway.close(0)
  }
})

it('commands ask the running gateway, whose stored session they share', async () => {
  const probe = await start(config({ adminKey: 'battery-staple' }))
  await probe.close(0)
  const own = config({ adminKey: 'battery-staple', port: probe.port })
  const gateway = await start(own)
  try {
    const desk = await openAccountDesk(own)
    expect(desk.remote).toBe(true)
    const { outcome, found } = await desk.add(readImport(HEADER), { label: 'ada' })
    expect([outcome, found.names]).toEqual(['added', ['__Secure-1PSID', '__Secure-1PSIDTS']])
    const steps: string[] = []
    for await (const { name, outcome: result } of desk.check('ada')) steps.push(`${name} ${result}`)
    expect(steps).toEqual(['connect ok', 'page ok', 'token ok', 'account ok', 'models ok', 'answer ok', 'protocol ok'])
    await desk.close()
  } finally {
    await gateway.close(0)
  }
  const alone = await openState(own)
  await expect(openAccountDesk(own).then((desk) => desk.list())).rejects.toThrow(/no gateway answers at http/)
  await alone.close()
})
