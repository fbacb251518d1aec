import { DEMO_ACCOUNTS, emulatorBaseUrls } from '@castorjs/gemini-web-emulator'
import { redisMissing, startRedis } from '@castorjs/testkit/redis-server'
import { startGeminiWebEmulator, type RunningEmulator } from '@castorjs/gemini-web-emulator/node'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { bundleCli, type Cli } from './cli-process.ts'
import { UNLIMITED } from './unlimited.ts'
import { callJson } from './call-json.ts'

// `castor serve` as people run it: a process of its own on an embedded state.

const [ada] = DEMO_ACCOUNTS
const ADMIN = 'battery-staple'
const key = (letter: string) => Buffer.alloc(32, letter).toString('base64')

let cli: Cli
let emulator: RunningEmulator
let dataDir: string
const children: ChildProcess[] = []
const said: string[] = []

beforeAll(async () => {
  cli = await bundleCli()
  emulator = await startGeminiWebEmulator({ port: 0 })
})
afterAll(async () => {
  await emulator.close()
  cli.remove()
})
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'castor-processes-'))
  emulator.emulator.controls.reset()
})
afterEach(async () => {
  for (const child of children.splice(0)) await kill(child)
  rmSync(dataDir, { recursive: true, force: true })
})

interface Serving {
  child: ChildProcess
  url: string
}

function serve(env: Record<string, string> = {}): ChildProcess {
  const settings = {
    accounts: [{ label: 'ada', secure1psid: ada?.session, secure1psidts: ada?.ticket }],
    ...UNLIMITED,
    geminiWeb: { baseUrls: emulatorBaseUrls(emulator.url) },
  }
  writeFileSync(join(dataDir, 'castor.config.json'), JSON.stringify(settings))
  const child = spawn(process.execPath, [cli.script, 'serve'], {
    cwd: dataDir,
    env: {
      PATH: process.env['PATH'],
      HOST: '127.0.0.1',
      PORT: '0',
      DATA_DIR: 'data',
      ADMIN_KEY: ADMIN,
      API_KEY: 'laptop=correct-horse',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  return child
}

/** Everything a process says until it ends by itself, and how it ends. */
async function end(child: ChildProcess): Promise<{ code: number | null; text: string }> {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (piece: Buffer) => (text += piece.toString()))
  await once(child, 'close')
  said.push(text)
  return { code: child.exitCode, text }
}

async function ready(child: ChildProcess): Promise<Serving> {
  const url = await new Promise<string>((resolve, reject) => {
    let text = ''
    const hear = (piece: Buffer): void => {
      said.push(piece.toString())
      text += piece.toString()
      const found = /serves at (http:\/\/127\.0\.0\.1:\d+)/.exec(text)
      if (found?.[1] !== undefined) resolve(found[1])
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    child.once('exit', () => reject(new Error(`The gateway ended: ${text}`)))
  })
  return { child, url }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

const call = ({ url }: Serving, method: string, path: string, body?: unknown, bearer = ADMIN) =>
  callJson(method, url + path, { body, bearer })

const chat = async (gateway: Serving, bearer = 'correct-horse') => {
  const messages = [{ role: 'user', content: 'Repeat exactly: fine' }]
  return (await call(gateway, 'POST', '/v1/chat/completions', { model: 'gemini-2.5-flash', messages }, bearer)).status
}

describe('a gateway that is killed', () => {
  it('has its keys and its ledger again, but for what it counted in the last seconds', async () => {
    const first = await ready(serve())
    const { key: secret } = (await call(first, 'POST', '/api/keys', { name: 'phone' })).json as { key?: string }
    for (let turn = 0; turn < 3; turn++) expect(await chat(first, secret)).toBe(200)
    // Looking writes what there is.
    const before = (await call(first, 'GET', '/api/usage?by=key')).json as { rows?: { requests: number }[] }
    expect(before.rows).toEqual([expect.objectContaining({ requests: 3 })])
    expect(await chat(first, secret)).toBe(200)
    await kill(first.child)

    const second = await ready(serve())
    expect(await chat(second, secret)).toBe(200)
    const after = (await call(second, 'GET', '/api/usage?by=key')).json as { rows?: { requests: number }[] }
    expect([4, 5]).toContain(after.rows?.[0]?.requests)
    expect((await call(second, 'GET', '/health')).json).toMatchObject({ status: 'ok', state: { warnings: [] } })
  })

  it('in the middle of an import has the session it had, and nothing of the import', async () => {
    const first = await ready(serve())
    expect(await chat(first)).toBe(200)
    expect((await call(first, 'POST', '/api/accounts/ada/renew')).json).toMatchObject({ outcome: 'renewed' })
    await kill(first.child)
    const second = await ready(serve())
    expect(await chat(second)).toBe(200)
    const { controls } = emulator.emulator
    controls.set({ latency: { page: 2_000 } })
    controls.clearRequests()
    const cookies = { SECURE_1PSID: ada?.session, SECURE_1PSIDTS: 'sidts-of-a-backup' }
    const importing = call(second, 'POST', '/api/cookies', { label: 'somebody', ...cookies, SECURE_1PSID: 'g.a000new' })
    importing.catch(() => undefined)
    await expect.poll(() => controls.requests.some(({ path }) => path === '/app')).toBe(true)
    await kill(second.child)
    controls.set({ latency: { page: 0 } })
    controls.advance(40_000)

    const third = await ready(serve())
    expect(await chat(third)).toBe(200)
    const { accounts } = (await call(third, 'GET', '/api/accounts')).json as { accounts?: { id: string }[] }
    expect(accounts?.map(({ id }) => id)).toEqual(['ada'])
  })
})

describe('a gateway that is stopped', () => {
  it.skipIf(redisMissing !== undefined)('while its Redis is away ends well, and says what was lost', async () => {
    const redis = await startRedis()
    try {
      const gateway = await ready(serve({ REDIS_URL: redis.url, STATE_KEY: key('k') }))
      expect(await chat(gateway)).toBe(200)
      await redis.kill()
      gateway.child.kill('SIGTERM')
      const { code, text } = await end(gateway.child)
      expect(code).toBe(0)
      expect(text).toContain('The usage of one request could not be written: Redis at 127.0.0.1')
      expect(text).not.toContain('    at ')
    } finally {
      await redis.close()
    }
  })
})

describe('the data directory', () => {
  it('belongs to one process, and the next is told whose it is', async () => {
    const first = await ready(serve())
    const { code, text } = await end(serve())
    expect([code, text]).toEqual([1, expect.stringContaining(`is used by process ${first.child.pid} on`)])
    expect(text).not.toContain('    at ')
    expect(await chat(first)).toBe(200)
    // A dead one is in nobody's way.
    await kill(first.child)
    expect(await chat(await ready(serve()))).toBe(200)
  })

  it('is for its owner only, and so is everything in it that is of the state', async () => {
    await chat(await ready(serve()))
    const data = join(dataDir, 'data')
    const mode = (path: string) => (statSync(join(data, path)).mode & 0o777).toString(8)
    expect([mode('.'), mode('state'), mode('state.key')]).toEqual(['700', '700', '600'])
    for (const name of readdirSync(join(data, 'state'))) expect([name, mode(`state/${name}`)]).toEqual([name, '600'])
  })

  it.each([
    { path: 'file/data', reason: 'ENOTDIR' },
    ...(existsSync('/proc/self') ? [{ path: '/proc/nope', reason: 'ENOENT' }] : []),
  ])('that cannot be made is named with the remedy: $path', async ({ path, reason }) => {
    writeFileSync(join(dataDir, 'file'), '')
    const { code, text } = await end(serve({ DATA_DIR: path }))
    expect([code, text]).toEqual([
      1,
      expect.stringMatching(new RegExp(`The data directory \\S+ cannot be made \\(${reason}\\)\\. Set DATA_DIR`)),
    ])
    expect(text).not.toContain('    at ')
  })

  it('with a damaged file is used as far as it can be read, and the file is kept and named', async () => {
    const first = await ready(serve())
    const { record } = (await call(first, 'POST', '/api/keys', { name: 'kept' })).json as { record?: { id: string } }
    await call(first, 'POST', '/api/keys', { name: 'also kept' })
    await kill(first.child)
    const path = join(dataDir, 'data/state/state.log')
    const lines = readFileSync(path, 'utf8').split('\n')
    const hit = lines.findIndex((line) => line.includes(`caller-keys/${record?.id}`))
    lines[hit] = lines[hit]?.replace('"', "'") ?? ''
    writeFileSync(path, lines.join('\n'))

    const second = await ready(serve())
    const { keys } = (await call(second, 'GET', '/api/keys')).json as { keys?: { name: string }[] }
    expect(keys?.map(({ name }) => name)).toEqual(['also kept'])
    const aside = readdirSync(join(dataDir, 'data/state')).find((name) => name.startsWith('state.damaged-')) ?? '?'
    expect(readFileSync(join(dataDir, 'data/state', aside), 'utf8')).toBe(lines.join('\n'))
    const { state } = (await call(second, 'GET', '/health')).json as { state?: { warnings: string[] } }
    expect(state?.warnings).toEqual([
      expect.stringContaining(`the damaged file is kept as ${join(dataDir, 'data/state', aside)}`),
    ])
    expect(said.join('')).toContain(aside)
  })
})

describe('the key of the state', () => {
  it.each([
    [
      'another one',
      () => writeFileSync(join(dataDir, 'data/state.key'), `k1 ${key('x')}\n`),
      /sealed with another key than that in \S+state\.key/,
    ],
    [
      'none',
      () => rmSync(join(dataDir, 'data/state.key')),
      /key that sealed the state is missing: there is no \S+state\.key/,
    ],
    [
      'garbage',
      () => writeFileSync(join(dataDir, 'data/state.key'), 'hunter2'),
      /state\.key is not a key file: each line must be/,
    ],
  ])('that is %s is no start, and nothing is touched', async (_, change, message) => {
    const first = await ready(serve())
    await call(first, 'POST', '/api/keys', { name: 'phone' })
    await kill(first.child)
    const good = readFileSync(join(dataDir, 'data/state.key'), 'utf8')
    const before = readFileSync(join(dataDir, 'data/state/state.log'))
    change()
    const had = existsSync(join(dataDir, 'data/state.key'))
    const { code, text } = await end(serve())
    expect([code, text]).toEqual([1, expect.stringMatching(message)])
    expect(text).not.toMatch(/ {4}at |hunter2/)
    expect(readFileSync(join(dataDir, 'data/state/state.log'))).toEqual(before)
    expect(existsSync(join(dataDir, 'data/state.key'))).toBe(had)
    writeFileSync(join(dataDir, 'data/state.key'), good)
    const second = await ready(serve())
    expect((await call(second, 'GET', '/api/keys')).json).toMatchObject({ keys: [{ name: 'phone' }] })
  })

  it('that is no key is named by its variable', async () => {
    const { code, text } = await end(serve({ STATE_KEY: 'hunter2' }))
    expect([code, text]).toEqual([1, expect.stringContaining('STATE_KEY')])
    expect(text).not.toMatch(/ {4}at |hunter2/)
  })
})

it('no cookie, key or token is in clear anywhere', () => {
  expect(said.join('\n')).not.toMatch(/g\.a000|sidts-|sk-castor-\w{12}-|correct-horse|battery-staple/)
})
