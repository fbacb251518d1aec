import { DEMO_ACCOUNTS, emulatorBaseUrls } from '@castorjs/gemini-web-emulator'
import { startGeminiWebEmulator, type RunningEmulator } from '@castorjs/gemini-web-emulator/node'
import { Redis } from 'ioredis'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { rotateStateKey } from '../src/commands/state.ts'
import { parseConfig } from '../src/config.ts'
import type { Config } from '../src/config-schema.ts'
import { startGateway, type Gateway } from '../src/gateway.ts'
import { callJson } from './call-json.ts'
import { UNLIMITED } from './unlimited.ts'
import { redisMissing, startRedis, type RedisServer } from '@castorjs/testkit/redis-server'
import { startRedisWire } from '@castorjs/testkit/redis-wire'

if (redisMissing !== undefined) console.log(redisMissing)

interface Settings {
  state?: object
  [setting: string]: unknown
}

const [ada] = DEMO_ACCOUNTS
const ADMIN = 'battery-staple'
const OWN = 'correct-horse'
const key = (letter: string) => Buffer.alloc(32, letter).toString('base64')

describe.skipIf(redisMissing !== undefined)('gateways on one Redis', () => {
  let redis: RedisServer
  let client: Redis
  let emulator: RunningEmulator
  let dataDir: string
  let prefixes = 0
  let prefix: string
  const said: string[] = []
  const running: Gateway[] = []
  const log = pino({ level: 'debug', base: null }, { write: (line: string) => void said.push(line) })

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'castor-redis-state-'))
    redis = await startRedis({ durable: true })
    client = new Redis(redis.url, { retryStrategy: () => 20, maxRetriesPerRequest: null })
    client.on('error', () => undefined)
    emulator = await startGeminiWebEmulator({ port: 0 })
  })
  afterEach(async () => {
    for (const gateway of running.splice(0)) await gateway.close(0)
    emulator.emulator.controls.reset()
  })
  afterAll(async () => {
    client.disconnect()
    await emulator.close()
    await redis.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  function configOf({ state = {}, ...more }: Settings = {}): Config {
    return parseConfig({
      host: '127.0.0.1',
      port: 0,
      dataDir,
      apiKeys: [{ id: 'laptop', key: OWN }],
      adminKey: ADMIN,
      accounts: [{ label: 'ada', secure1psid: ada?.session, secure1psidts: ada?.ticket }],
      state: { redisUrl: redis.url, redisPrefix: prefix, keys: [{ id: 'one', key: key('k') }], ...state },
      ...UNLIMITED,
      geminiWeb: { baseUrls: emulatorBaseUrls(emulator.url) },
      ...more,
    })
  }
  async function start(settings: Settings = {}): Promise<Gateway> {
    const gateway = await startGateway(configOf(settings), { log })
    running.push(gateway)
    return gateway
  }
  const connections = async () =>
    String(await client.client('LIST'))
      .trim()
      .split('\n').length
  async function stop(gateway: Gateway): Promise<void> {
    running.splice(running.indexOf(gateway), 1)
    await gateway.close(0)
  }
  const fresh = () => (prefix = `test-${++prefixes}:`)

  async function call(gateway: Gateway, method: string, path: string, body?: unknown, bearer = ADMIN) {
    const answer = await callJson(method, gateway.url + path, { body, bearer })
    said.push(answer.text.replaceAll(/"sk-castor-[^"]+"/g, ''))
    return answer
  }
  const chat = (gateway: Gateway, bearer = OWN) =>
    call(
      gateway,
      'POST',
      '/v1/chat/completions',
      { model: 'gemini-2.5-flash', messages: [{ role: 'user', content: 'Repeat exactly: fine' }] },
      bearer,
    )
  const health = async (gateway: Gateway) => (await call(gateway, 'GET', '/health')).json
  const make = async (gateway: Gateway, settings: object) =>
    (await call(gateway, 'POST', '/api/keys', settings)).json as { key: string; record: { id: string } }

  it('share keys: a change holds at once where it was made, and soon for the others', async () => {
    fresh()
    const one = await start()
    const two = await start()
    const { key: secret, record } = await make(one, { name: 'phone' })
    expect((await chat(two, secret)).status).toBe(200)
    await call(one, 'PATCH', `/api/keys/${record.id}`, { enabled: false })
    expect((await chat(one, secret)).status).toBe(401)
    await expect.poll(async () => (await chat(two, secret)).status, { timeout: 7_000, interval: 250 }).toBe(401)
  })

  it('serve configured keys while Redis is away, and ask the others to come back', async () => {
    fresh()
    const gateway = await start()
    const { key: secret, record } = await make(gateway, { name: 'phone' })
    expect((await chat(gateway)).status).toBe(200)
    await redis.stop()
    try {
      const away = await chat(gateway, secret)
      expect([away.status, Number(away.headers.get('retry-after')) > 0]).toEqual([503, true])
      expect(away.json).toMatchObject({
        error: { message: expect.stringMatching(/The state that holds the keys cannot be reached/) },
      })
      expect((await chat(gateway)).status).toBe(200)
      // The operator is told the reason, not that something failed.
      const operator: [string, string, object?][] = [
        ['GET', '/api/keys'],
        ['POST', '/api/keys', { name: 'x' }],
        ['DELETE', `/api/keys/${record.id}`],
        ['GET', '/api/usage'],
        ['POST', '/api/accounts/ada/pause'],
      ]
      const answers = await Promise.all(operator.map((request) => call(gateway, ...request)))
      for (const { status, headers, json } of answers) {
        expect([status, headers.get('retry-after')]).toEqual([503, '2'])
        expect(json).toMatchObject({ error: { message: expect.stringMatching(/Redis/) } })
      }
      const { status, state, alone, aloneBecause } = await health(gateway)
      expect([status, alone, aloneBecause]).toEqual(['degraded', ['gemini-web'], 'Redis cannot be reached'])
      expect(state).toMatchObject({ home: 'redis', ok: false, reason: expect.stringMatching(/Redis at 127\.0\.0\.1/) })
    } finally {
      await redis.start()
    }
    await expect.poll(async () => (await chat(gateway, secret)).status, { timeout: 10_000 }).toBe(200)
    await expect.poll(async () => (await health(gateway))['status'], { timeout: 10_000 }).toBe('ok')
  })

  it('blame no account for a Redis that is away, and serve on with it when it is back', async () => {
    fresh()
    const one = await start()
    expect((await chat(one)).status).toBe(200)
    await call(one, 'POST', '/api/accounts/ada/pause')
    await call(one, 'POST', '/api/accounts/ada/resume')
    // It has opened no session yet, and cannot while the state that keeps it is away.
    const two = await start({ renewal: { startAfterMs: 3_600_000 } })
    await redis.stop()
    try {
      for (let times = 0; times < 5; times++) {
        const { status, json } = await chat(two)
        expect([status, json]).toEqual([
          503,
          { error: expect.objectContaining({ message: expect.stringMatching(/^The state that keeps this session/) }) },
        ])
      }
      expect((await chat(one)).status).toBe(200)
    } finally {
      await redis.start()
    }
    for (const gateway of [one, two])
      await expect.poll(async () => (await health(gateway))['status'], { timeout: 10_000 }).toBe('ok')
    for (const gateway of [one, two]) expect((await chat(gateway)).status).toBe(200)
  })

  it('keep an account paused that was paused before Redis was restarted', async () => {
    fresh()
    const gateway = await start()
    expect((await chat(gateway)).status).toBe(200)
    await call(gateway, 'POST', '/api/accounts/ada/pause')
    await redis.stop()
    expect((await chat(gateway)).status).toBe(503)
    await redis.start()
    await expect.poll(async () => (await health(gateway))['status'], { timeout: 10_000 }).toBe('ok')
    expect(await chat(gateway)).toMatchObject({
      status: 503,
      json: { error: { message: expect.stringMatching(/disabled/) } },
    })
  })

  it('close while Redis is away: every part, saying what was lost', async () => {
    fresh()
    const own = await connections()
    const gateway = await start()
    for (let turn = 0; turn < 3; turn++) expect((await chat(gateway)).status).toBe(200)
    const before = said.length
    await redis.kill()
    try {
      await gateway.close(0)
    } finally {
      await redis.start()
    }
    const told = said.slice(before).map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(told.filter(({ msg }) => /lost|closed|ended|sent/.test(String(msg)))).toEqual([
      expect.objectContaining({
        msg: 'the last usage is lost',
        reason: expect.stringMatching(/^The usage of 3 requests could not be written: Redis at 127\.0\.0\.1/) as string,
      }),
    ])
    // Nothing of it comes back with Redis.
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(await connections()).toBe(own)
  })

  it('count each request once in the ledger, over replicas and a Redis that is restarted', async () => {
    fresh()
    const gateways = [await start(), await start()]
    const asked = [0, 0]
    let restarts = 0
    let over = false
    const traffic = gateways.map(async (gateway, index) => {
      for (let turn = 0; !over && turn < 500; turn++) {
        await chat(gateway)
        asked[index] = (asked[index] ?? 0) + 1
        // Writes what there is, again and again, so that a restart falls into it.
        if (turn % 3 === 0) await call(gateway, 'GET', '/api/usage')
      }
    })
    while (restarts < 3) {
      await new Promise((resolve) => setTimeout(resolve, 300))
      await redis.stop()
      await redis.start()
      restarts++
    }
    await new Promise((resolve) => setTimeout(resolve, 300))
    over = true
    await Promise.all(traffic)
    const total = asked.reduce((sum, count) => sum + count, 0)
    await expect
      .poll(
        async () => {
          // Each writes what it holds before it answers.
          await call(gateways[1]!, 'GET', '/api/usage')
          const { json } = await call(gateways[0]!, 'GET', '/api/usage?by=key&caller=laptop')
          return (json['rows'] as { requests: number }[] | undefined)?.[0]?.requests
        },
        { timeout: 10_000 },
      )
      .toBe(total)
  })

  it('keep apart what has another prefix', async () => {
    fresh()
    const limits = { perHour: 1, modelSpacingMs: false }
    const one = await start({ limits })
    const { key: secret } = await make(one, { name: 'phone' })
    expect([(await chat(one)).status, (await chat(one)).status]).toEqual([200, 429])
    fresh()
    const two = await start({ limits })
    expect((await chat(two, secret)).status).toBe(401)
    expect((await chat(two)).status).toBe(200)
    const names = (await client.keys('*')).filter((name) => !/^\{?test-\d+:/.test(name))
    expect(names).toEqual([])
  })

  it('say that Redis is full, serve on, and are well again by themselves', async () => {
    fresh()
    const gateway = await start()
    expect((await chat(gateway)).status).toBe(200)
    await client.config('SET', 'maxmemory', '1')
    try {
      const refused = await call(gateway, 'POST', '/api/keys', { name: 'x' })
      expect(refused.status).toBe(503)
      expect(refused.json).toMatchObject({ error: { message: expect.stringMatching(/is out of memory/) } })
      expect((await chat(gateway)).status).toBe(200)
      expect(await health(gateway)).toMatchObject({
        status: 'degraded',
        state: { ok: false, reason: expect.stringMatching(/is out of memory/) },
      })
    } finally {
      await client.config('SET', 'maxmemory', '0')
    }
    await expect.poll(async () => (await health(gateway))['status'], { timeout: 10_000 }).toBe('ok')
    expect((await call(gateway, 'POST', '/api/keys', { name: 'x' })).status).toBe(201)
  })

  it('come back from a connection that went silent', async () => {
    fresh()
    const wire = await startRedisWire(redis.port)
    try {
      const gateway = await start({ state: { redisUrl: wire.url } })
      expect((await chat(gateway)).status).toBe(200)
      wire.silence()
      expect((await chat(gateway)).status).toBe(200)
      expect(await health(gateway)).toMatchObject({ status: 'degraded', alone: ['gemini-web'] })
      await expect.poll(async () => (await health(gateway))['status'], { timeout: 20_000 }).toBe('ok')
      expect((await call(gateway, 'POST', '/api/keys', { name: 'x' })).status).toBe(201)
    } finally {
      for (const gateway of running.splice(0)) await gateway.close(0)
      await wire.close()
    }
  })

  it('go on over the promoted node after a failover, with all they share', async () => {
    fresh()
    const old = await startRedis({ durable: true, args: ['--repl-diskless-sync-delay', '0'] })
    const promoted = await startRedis({ durable: true })
    const wire = await startRedisWire(old.port)
    try {
      const over = { state: { redisUrl: wire.url }, limits: { perHour: 6, modelSpacingMs: false } }
      const gateways = [await start(over), await start(over)]
      for (const gateway of gateways) expect((await chat(gateway)).status).toBe(200)
      await promoted.client.replicaof('127.0.0.1', old.port)
      await expect.poll(() => promoted.client.info('replication'), { timeout: 20_000 }).toMatch(/master_link_status:up/)
      // Connections that are open stay on the node that was demoted.
      wire.leadTo(promoted.port)
      await promoted.client.replicaof('NO', 'ONE')
      await old.client.replicaof('127.0.0.1', promoted.port)
      for (const gateway of gateways) {
        await chat(gateway)
        await expect.poll(() => health(gateway), { timeout: 20_000 }).toMatchObject({ status: 'ok', alone: [] })
      }
      const asking = (await old.client.call('CLIENT', 'LIST')) as string
      expect(asking.split('\n').filter((line) => / cmd=(evalsha|eval|get) /.test(line))).toEqual([])
      // The limit holds over both again, with what was counted before.
      const statuses: number[] = []
      for (let turn = 0; turn < 6; turn++) statuses.push((await chat(gateways[turn % 2]!)).status)
      expect(statuses.slice(-2)).toEqual([429, 429])
    } finally {
      for (const gateway of running.splice(0)) await gateway.close(0)
      for (const part of [wire, promoted, old]) await part.close()
    }
  })

  it('name what about Redis is a danger to what it keeps', async () => {
    fresh()
    await client.config('SET', 'appendonly', 'no')
    try {
      const gateway = await start()
      expect(await health(gateway)).toMatchObject({
        status: 'ok',
        state: { warnings: [expect.stringMatching(/keeps no append-only file.*Set appendonly yes/)] },
      })
    } finally {
      await client.config('SET', 'appendonly', 'yes')
    }
  })

  describe('with records that do not open', () => {
    const [one, two] = [
      { id: 'one', key: key('k') },
      { id: 'two', key: key('o') },
    ]

    it('say it when another one seals with a key they lack, and write nothing over it', async () => {
      fresh()
      const behind = await start()
      const { key: secret, record } = await make(behind, { name: 'phone' })
      const ahead = await start({ state: { keys: [two, one] } })
      await call(ahead, 'PATCH', `/api/keys/${record.id}`, { name: 'my phone' })
      await expect.poll(async () => (await chat(behind, secret)).status, { timeout: 20_000 }).toBe(503)
      expect(await health(behind)).toMatchObject({
        status: 'degraded',
        state: {
          ok: false,
          reason: expect.stringMatching(
            /is sealed with the key "two", which is not among the keys given \(one\); seen at the record "[\w/-]+"$/,
          ),
        },
      })
      expect(await client.get(`${prefix}r:caller-keys/${record.id}`)).toContain('"k":"two"')
      expect((await chat(ahead, secret)).status).toBe(200)
      expect(await health(ahead)).toMatchObject({ status: 'ok' })
    })

    it('change their key one after the other, in the order of the README, and serve all the time', async () => {
      fresh()
      let gateways = [await start(), await start()]
      const { key: secret } = await make(gateways[0]!, { name: 'phone' })
      for (const keys of [[one, two], [two, one], [two]]) {
        if (keys.length === 1) await rotateStateKey(configOf({ state: { keys: [two, one] } }))
        for (const index of [0, 1]) {
          await stop(gateways[index]!)
          gateways[index] = await start({ state: { keys } })
          const { id } = (await make(gateways[index]!, { name: `made by ${keys[0]!.id}` })).record
          for (const gateway of gateways) {
            expect((await chat(gateway, secret)).status).toBe(200)
            expect((await call(gateway, 'PATCH', `/api/keys/${id}`, { enabled: false })).status).toBe(200)
            expect(await health(gateway)).toMatchObject({ status: 'ok', state: { warnings: [] } })
          }
        }
      }
      expect(await redis.dump()).not.toContain(`${prefix}r:castor/key-check/one`)
    })

    it('start without an account whose record nobody can open, name it, and take it anew', async () => {
      fresh()
      const [, grace] = DEMO_ACCOUNTS
      const cookies = { label: 'grace', SECURE_1PSID: grace?.session, SECURE_1PSIDTS: grace?.ticket }
      const before = await start()
      await call(before, 'POST', '/api/accounts', cookies)
      await stop(before)
      const lost = { k: 'lost', i: key('i').slice(0, 16), d: key('d') }
      const names = ['web-account/grace', 'media/signing-key']
      for (const name of names) await client.set(`${prefix}r:${name}`, `1795862842000000::${JSON.stringify(lost)}`)
      const gateway = await start()
      expect((await chat(gateway)).status).toBe(200)
      const message =
        'The record "web-account/grace" was sealed with the key "lost", which is not in use any more (one). Write it anew, or delete it'
      expect(await health(gateway)).toMatchObject({ status: 'ok', state: { warnings: [message] } })
      expect(said.join('\n')).toContain(JSON.stringify(message))
      expect((await call(gateway, 'POST', '/api/accounts', cookies)).status).toBe(201)
      expect(await health(gateway)).toMatchObject({ state: { warnings: [] } })
    })
  })

  describe('beside rotate-key', () => {
    // Each key file is one installation's: with Redis too, one gateway needs no STATE_KEY.
    const own = (): Settings => ({ dataDir: mkdtempSync(join(dataDir, 'own-')), state: { keys: undefined } })
    const names = () => client.keys(`${prefix}r:castor/users/*`)
    const me = String.raw`process ${process.pid} on ${hostname()} \(since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\)`

    it('are in its way until the last of them is stopped', async () => {
      fresh()
      const settings = own()
      const gateways = [await start(settings), await start(settings)]
      const { key: secret } = await make(gateways[0]!, { name: 'phone' })
      const rotate = () => rotateStateKey(configOf(settings))
      const refused = (start: string, who: string) => ({
        code: 'in_use',
        message: expect.stringMatching(
          new RegExp(`^${start} this state: ${who}\\. Stop them all, then run this again\\.`),
        ),
      })
      await expect(rotate()).rejects.toMatchObject(refused('2 processes use', `${me}, ${me}`))
      await stop(gateways[1]!)
      await expect(rotate()).rejects.toMatchObject(refused('One process uses', me))
      // It serves on, and can read and write all that it could before.
      expect((await chat(gateways[0]!, secret)).status).toBe(200)
      expect(await health(gateways[0]!)).toMatchObject({ status: 'ok' })
      await stop(gateways[0]!)
      expect(await rotate()).toMatch(/^\d+ records were sealed anew.*BGREWRITEAOF/)
      expect(await names()).toEqual([])
      const gateway = await start(settings)
      expect((await chat(gateway, secret)).status).toBe(200)
    })

    it('say again and again that they live, and are forgotten when they do not', async () => {
      fresh()
      await start()
      const [name = ''] = await names()
      const first = await client.pttl(name)
      expect(first > 0 && first <= 20_000).toBe(true)
      await expect.poll(() => client.pttl(name), { timeout: 20_000, interval: 100 }).toBeLessThan(first - 1_000)
      const before = await client.pttl(name)
      await expect.poll(() => client.pttl(name), { timeout: 20_000, interval: 100 }).toBeGreaterThan(before)
    })

    it('may stay when they have the new key in front', async () => {
      fresh()
      const [one, two] = [
        { id: 'one', key: key('k') },
        { id: 'two', key: key('o') },
      ]
      const gateway = await start({ state: { keys: [one, two] } })
      const rotation = configOf({ state: { keys: [two, one] } })
      await expect(rotateStateKey(rotation)).rejects.toMatchObject({
        code: 'in_use',
        message: expect.stringMatching(/Restart those with the key "two" in front, or stop them, then run this again/),
      })
      await stop(gateway)
      await start({ state: { keys: [two, one] } })
      expect(await rotateStateKey(rotation)).toMatch(/sealed anew with the key "two"/)
    })

    it('do not start while it works, nor does a second one', async () => {
      fresh()
      const settings = own()
      await stop(await start(settings))
      const claim = { pid: 7, host: 'elsewhere', since: 1_795_862_842_000, key: 'new' }
      await client.set(`${prefix}r:castor/rotation`, `1::${JSON.stringify(claim)}`)
      const by = 'process 7 on elsewhere \\(since 2026-11-28T10:47:22Z\\)'
      await expect(start(settings)).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringMatching(
          new RegExp(`^The key of the state is being changed by ${by}\\. Start again when`),
        ),
      })
      expect(await names()).toEqual([])
      await expect(rotateStateKey(configOf(settings))).rejects.toMatchObject({
        code: 'in_use',
        message: expect.stringMatching(new RegExp(`being changed already, by ${by}$`)),
      })
      await client.del(`${prefix}r:castor/rotation`)
      await start(settings)
    })

    it('that were cut off meanwhile write nothing with the old key, and say it', async () => {
      fresh()
      const settings = own()
      const gateway = await start(settings)
      await make(gateway, { name: 'phone' })
      // As if its connection had been away for longer than it is remembered.
      await client.del(...(await names()))
      await rotateStateKey(configOf(settings))
      const newId = readFileSync(join(String(settings['dataDir']), 'state.key'), 'utf8').split(' ')[0] ?? '?'
      await expect
        .poll(() => health(gateway), { timeout: 20_000 })
        .toMatchObject({
          status: 'degraded',
          state: { ok: false, reason: expect.stringContaining(`is sealed with the key "${newId}"`) },
        })
      expect((await call(gateway, 'POST', '/api/keys', { name: 'late' })).status).toBe(503)
      await stop(gateway)
      const again = await start(settings)
      expect((await call(again, 'GET', '/api/keys')).json).toMatchObject({ keys: [{ name: 'phone' }] })
      expect(await health(again)).toMatchObject({ status: 'ok' })
    })
  })

  describe('do not start', () => {
    const as = (user: string) => ({ state: { redisUrl: redis.url.replace('//', `//${user}@`) } })
    const rights = ['+@read', '+@write', '+@scripting', '+time', '+info']
    const user = (name: string, ...rules: string[]) => client.call('ACL', 'SETUSER', name, 'on', '>hunter2', ...rules)

    it('with the wrong password, and do not tell it', async () => {
      fresh()
      await user('someone', '~*', '+@all')
      const refused = await start(as('someone:hunter3')).catch((error: unknown) => error)
      expect(refused).toMatchObject({
        code: 'denied',
        message: expect.stringMatching(/refuses the user name or password/),
      })
      expect(String(refused)).not.toContain('hunter3')
    })

    it('as a user who may not do what is needed, and say what that is', async () => {
      fresh()
      await user('reader', '~*', '+@read', '+info')
      await expect(start(as('reader:hunter2'))).rejects.toMatchObject({
        code: 'denied',
        message: expect.stringMatching(/does not let this user run 'eval/),
      })
      await user('narrow', `~${prefix}*`, ...rights)
      await expect(start(as('narrow:hunter2'))).rejects.toMatchObject({
        code: 'denied',
        message: expect.stringContaining(`~${prefix}* ~{${prefix}pool:* +@read +@write +@scripting +time +info`),
      })
      // With just those it works, and shares its pools.
      await user('narrow', `~{${prefix}pool:*`)
      const gateway = await start(as('narrow:hunter2'))
      expect((await chat(gateway)).status).toBe(200)
      expect(await health(gateway)).toMatchObject({ status: 'ok', alone: [] })
    })

    it('on a Redis that is too old', async () => {
      fresh()
      const old = await rewriting(redis, /redis_version:\d/g, 'redis_version:5')
      try {
        await expect(start({ state: { redisUrl: old.url } })).rejects.toMatchObject({
          code: 'unsupported',
          message: expect.stringMatching(/^Redis at 127\.0\.0\.1:\d+ is version 5\.\S+; 6\.2 or newer is needed$/),
        })
      } finally {
        await old.close()
      }
    })

    it.each([
      ['/castor', /state\.redisUrl: The database in the Redis URL, .* must be a number such as \/0\./],
      ['/99', /^There is no database 99 of Redis at 127\.0\.0\.1:\d+/],
    ])('on the database %s', async (database, message) => {
      fresh()
      await expect(start({ state: { redisUrl: redis.url + database } })).rejects.toThrow(message)
      expect(await client.keys(`*${prefix}*`)).toEqual([])
    })

    it('while it is away', async () => {
      fresh()
      await expect(start({ state: { redisUrl: 'redis://127.0.0.1:1' } })).rejects.toMatchObject({
        code: 'unavailable',
        message: 'Redis at 127.0.0.1:1 cannot be reached (ECONNREFUSED)',
      })
    })

    it('with another key than the others, and do with the new and the old one', async () => {
      fresh()
      const one = await start()
      await make(one, { name: 'phone' })
      const other = { id: 'two', key: key('o') }
      await expect(start({ state: { keys: [other] } })).rejects.toMatchObject({
        code: 'wrong_key',
        message: expect.stringMatching(/another key than that in STATE_KEY.*All gateways on one Redis need the same/),
      })
      const both = await start({ state: { keys: [other, { id: 'one', key: key('k') }] } })
      expect((await call(both, 'GET', '/api/keys')).json).toMatchObject({ keys: [{ name: 'phone' }] })
    })
  })

  it('keep nothing in clear', async () => {
    const everything = [await redis.dump(), ...said].join('\n')
    expect(everything).not.toMatch(/g\.a000|sidts-|hunter[23]|sk-castor-\w{12}-|correct-horse|battery-staple/)
  })
})

/** A Redis behind a wire that changes what it says. */
async function rewriting(redis: RedisServer, from: RegExp, to: string) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    const upstream = connect(Number(new URL(redis.url).port), '127.0.0.1')
    for (const one of [socket, upstream]) {
      sockets.add(one)
      one.on('error', () => undefined)
      one.on('close', () => [socket, upstream].forEach((each) => each.destroy()))
    }
    socket.pipe(upstream)
    upstream.on('data', (data) => socket.write(Buffer.from(data.toString('latin1').replace(from, to), 'latin1')))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
