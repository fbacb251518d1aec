import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { redisMissing, startRedis, type RedisServer } from '@castorjs/testkit/redis-server'
import { startRedisWire, type RedisWire } from '@castorjs/testkit/redis-wire'
import { describeStateStore, listAll } from '../test/store-behaviour.ts'
import { updateRecord, withEncryption } from './index.ts'
import { createRedisClient, openRedisStateStore } from './redis.ts'

const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

if (redisMissing !== undefined) console.log(redisMissing)

describe.skipIf(redisMissing !== undefined)('openRedisStateStore', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis({ durable: true })
  })
  afterAll(() => server?.close())

  // Servers that a test kills; stopped even when the test fails.
  const owned: RedisServer[] = []
  async function startOwn(): Promise<RedisServer> {
    const own = await startRedis({ durable: true })
    owned.push(own)
    return own
  }
  afterEach(async () => {
    for (const own of owned.splice(0)) await own.close()
  })

  describeStateStore('a store in Redis', async () => {
    const store = await openRedisStateStore({ url: server.url })
    return { store, pass, close: () => store.close() }
  })

  describeStateStore('an encrypted store in Redis', async () => {
    const plain = await openRedisStateStore({ url: server.url, prefix: 'sealed:' })
    const store = withEncryption(plain, { keys: [{ id: 'a', key: new Uint8Array(32) }] })
    return { store, pass, close: () => store.close() }
  })

  it('shares everything between processes, under its own prefix', async () => {
    const [one, two, other] = await Promise.all(
      ['share:', 'share:', 'other:'].map((prefix) => openRedisStateStore({ url: server.url, prefix })),
    )
    await Promise.all(
      [one!, two!].flatMap((store) =>
        Array.from({ length: 20 }, () =>
          updateRecord(store, 'sum', (value) => ((value as number | undefined) ?? 0) + 1),
        ),
      ),
    )
    expect((await two!.get('sum'))?.value).toBe(40)
    expect(await other!.get('sum')).toBeUndefined()
    const lease = (await one!.tryLock('door', 60_000))!
    expect(await two!.tryLock('door', 60_000)).toBeUndefined()
    expect(await other!.tryLock('door', 60_000)).toBeDefined()
    await lease.release()
    expect((await server.client.keys('*')).filter((key) => !/^(share|other|castor|sealed):/.test(key))).toEqual([])
    await Promise.all([one, two, other].map((store) => store!.close()))
  })

  it('keeps no names of records that have expired', async () => {
    const store = await openRedisStateStore({ url: server.url, prefix: 'garbage:' })
    for (let index = 0; index < 20; index++) await store.set(`old/${index}`, 1, { ttlMs: 1 })
    await pass(20)
    for (let index = 0; index < 100; index++) await store.set('new', 1, { ttlMs: 60_000 })
    expect(await server.client.zcard('garbage:index')).toBeLessThan(5)
    await store.close()
  })

  it('takes one round trip for each step', async () => {
    const store = await openRedisStateStore({ url: server.url, prefix: 'trips:' })
    const steps = [
      () => store.set('a', 1),
      () => store.get('a'),
      () => store.compareAndSet('a', 1, 1),
      () => store.count('a', { ttlMs: 1000, max: 9 }),
      () => store.tryLock('a', 1),
      () => listAll(store, 'a'),
      () => store.delete('a'),
    ]
    for (const step of steps) await step()
    const calls = async (): Promise<number> => {
      const stats = await server.client.info('commandstats')
      const scripts = Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1])
      // What scripts call inside counts as well; from outside only get is called plainly.
      return scripts + Number(/cmdstat_eval:calls=(\d+)/.exec(stats)?.[1] ?? 0)
    }
    const before = await calls()
    for (const step of steps) await step()
    expect((await calls()) - before).toBe(steps.length - 1)
    await store.close()
  })

  it('sends the steps of many requests at once with one write', async () => {
    const client = createRedisClient({ url: server.url })
    await new Promise((resolve) => client.once('ready', resolve))
    const single = vi.spyOn(client.stream, '_write')
    const joined = vi.spyOn(client.stream, '_writev')
    const words = Array.from({ length: 20 }, (_, index) => `word ${index}`)
    expect(await Promise.all(words.map((word) => client.echo(word)))).toEqual(words)
    expect(single).not.toHaveBeenCalled()
    expect(joined).toHaveBeenCalledOnce()
    client.disconnect()
  })

  it('refuses a URL that cannot be meant', async () => {
    const refused = {
      name: 'StateError',
      code: 'invalid',
      message: expect.stringMatching(/^The database in the Redis URL/),
    }
    await expect(openRedisStateStore({ url: `${server.url}/castor` })).rejects.toMatchObject(refused)
    expect(() => createRedisClient({ url: `${server.url}/castor` })).toThrow(expect.objectContaining(refused))
  })

  it('uses the database of the URL, and no other one when that is not to be had', async () => {
    const at = `127.0.0.1:${server.port}`
    const store = await openRedisStateStore({ url: `${server.url}/3`, prefix: 'three:' })
    await store.set('a', 1)
    await store.close()
    expect(await server.client.keys('three:*')).toEqual([])

    await expect(openRedisStateStore({ url: `${server.url}/99`, prefix: 'far:' })).rejects.toMatchObject({
      code: 'invalid',
      message: `There is no database 99 of Redis at ${at} (the URL names it after host and port); take one that exists, 0 is there always`,
    })
    const rights = ['~*', '+@read', '+@write', '+@scripting', '+time', '+info']
    await server.client.call('ACL', 'SETUSER', 'unselecting', 'on', '>right', ...rights)
    await expect(
      openRedisStateStore({ url: `redis://unselecting:right@${at}/1`, prefix: 'far:' }),
    ).rejects.toMatchObject({
      code: 'denied',
      message: `This user may not choose database 1 of Redis at ${at} (the URL names it after host and port); it needs +select`,
    })
    // A client of its own neither, however often it tries.
    const client = createRedisClient({ url: `${server.url}/99`, commandTimeoutMs: 500 })
    const errors: string[] = []
    client.on('error', (error: Error) => errors.push(error.message))
    await expect
      .poll(() => errors.filter((text) => /DB index is out of range/.test(text)).length, { timeout: 20_000 })
      .toBeGreaterThan(1)
    await expect(client.set('far:a', '1')).rejects.toThrow("Stream isn't writeable")
    client.disconnect()
    expect(await server.client.keys('far:*')).toEqual([])
  })

  describe('with records that something else wrote', () => {
    const message = 'The record "bad" in Redis is damaged, or something else wrote it. Write it anew, or delete it'
    const foreign: [string, (prefix: string) => Promise<unknown>][] = [
      ['of another form', (prefix) => server.client.set(`${prefix}r:bad`, 'mine: hunter2')],
      ['cut', (prefix) => server.client.set(`${prefix}r:bad`, '1795862842000000::{"k":"hunter2')],
    ]

    it.each(foreign)('%s, passes them over and quotes nothing', async (name, write) => {
      const prefix = `foreign-${name}:`
      const store = await openRedisStateStore({ url: server.url, prefix })
      for (const key of ['a', 'bad', 'c']) await store.set(key, key)
      await write(prefix)
      expect((await listAll(store, '')).map(({ key }) => key)).toEqual(['a', 'c'])
      expect(store.status()).toMatchObject({ ok: true, warnings: [message] })
      await expect(store.get('bad')).rejects.toMatchObject({ name: 'StateError', code: 'unreadable', message })
      expect(store.status()).toMatchObject({ ok: false, reason: message })
      expect(await store.compareAndSet('bad', 0, 'new')).toBeUndefined()
      expect(await updateRecord(store, 'bad', (value, unreadable) => [value, unreadable?.code])).toEqual([
        undefined,
        'unreadable',
      ])
      expect((await store.get('bad'))?.value).toEqual([null, 'unreadable'])
      expect(store.status()).toMatchObject({ ok: true, warnings: [] })
      await store.close()
    })

    it('of another type, goes on in lists', async () => {
      const store = await openRedisStateStore({ url: server.url, prefix: 'typed:' })
      for (const key of ['a', 'bad', 'c']) await store.set(key, key)
      await server.client.del('typed:r:bad')
      await server.client.hset('typed:r:bad', 'field', 'mine')
      expect((await listAll(store, '')).map(({ key }) => key)).toEqual(['a', 'c'])
      expect(store.status().warnings).toEqual([message])
      await store.set('bad', 'new')
      expect(await listAll(store, '')).toHaveLength(3)
      await store.close()
    })

    it('in place of its own names, does not start', async () => {
      await server.client.set('taken:index', 'mine')
      await expect(openRedisStateStore({ url: server.url, prefix: 'taken:' })).rejects.toMatchObject({
        code: 'invalid',
        message: `Redis at 127.0.0.1:${server.port} keeps something else under names of this store; give the store a prefix or a database of its own`,
      })
    })

    it('in place of its numbers, goes on with growing ones', async () => {
      const store = await openRedisStateStore({ url: server.url, prefix: 'numbers:' })
      const version = await store.set('a', 1)
      await server.client.set('numbers:sequence', 'mine')
      expect(await store.set('a', 2)).toBeGreaterThan(version)
      await store.close()
    })
  })

  it('says that the password is wrong, without the password', async () => {
    await server.client.call('ACL', 'SETUSER', 'limited', 'on', '>right', '~limited:*', '+@all')
    const at = (user: string): string => `redis://${user}@127.0.0.1:${server.port}`
    const error = await openRedisStateStore({ url: at('limited:hunter2') }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'denied',
      message: `Redis at 127.0.0.1:${server.port} refuses the user name or password`,
    })
    expect(String(error)).not.toContain('hunter2')

    const store = await openRedisStateStore({ url: at('limited:right'), prefix: 'limited:' })
    await store.set('a', 1)
    await store.close()
    await expect(openRedisStateStore({ url: at('limited:right'), prefix: 'elsewhere:' })).rejects.toMatchObject({
      code: 'denied',
      message: `Redis at 127.0.0.1:${server.port} does not let this user use the keys of this store; allow its prefix`,
    })
  })

  it('says which command the user may not run', async () => {
    await server.client.call('ACL', 'SETUSER', 'reader', 'on', '>right', '~*', '+@read', '+info')
    await expect(openRedisStateStore({ url: `redis://reader:right@127.0.0.1:${server.port}` })).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining(`does not let this user run 'eval`),
    })
  })

  it('says at the start that a user may read and not write', async () => {
    const rights = ['+@read', '+@scripting', '+@connection', '+time', '+info']
    await server.client.call('ACL', 'SETUSER', 'onlooker', 'on', '>right', '~castor:*', ...rights)
    await (await openRedisStateStore({ url: server.url })).close()
    await expect(openRedisStateStore({ url: `redis://onlooker:right@127.0.0.1:${server.port}` })).rejects.toMatchObject(
      {
        code: 'denied',
        message: `Redis at 127.0.0.1:${server.port} does not let this user run what the scripts of this store run; it needs +@read +@write +@scripting +time +info`,
      },
    )
  })

  it('says that a full Redis takes no writes, reads on, and finds out by itself when there is room', async () => {
    const own = await startOwn()
    const store = await openRedisStateStore({ url: own.url })
    await store.set('kept', 1)
    await own.client.config('SET', 'maxmemory', '1')
    const message = `Redis at 127.0.0.1:${own.port} is out of memory`
    await expect(store.set('lost', 1)).rejects.toMatchObject({ code: 'unavailable', message })
    expect(store.status()).toMatchObject({ home: 'redis', ok: false, reason: message })
    expect((await store.get('kept'))?.value).toBe(1)
    expect(store.status().ok).toBe(false)
    // One that starts now can read at least.
    const late = await openRedisStateStore({ url: own.url })
    expect([(await late.get('kept'))?.value, late.status().reason]).toEqual([1, message])
    await late.close()
    await own.client.config('SET', 'maxmemory', '0')
    while (!store.status().ok) await pass(50)
    await store.set('lost', 2)
    await store.close()
  })

  it('warns of a Redis that may lose what it keeps', async () => {
    const own = await startOwn()
    const store = await openRedisStateStore({ url: own.url })
    expect(store.status().warnings).toEqual([])
    await store.close()
    await own.client.config('SET', 'maxmemory', '100mb')
    await own.client.config('SET', 'maxmemory-policy', 'allkeys-lru')
    await own.client.config('SET', 'appendonly', 'no')
    const risky = await openRedisStateStore({ url: own.url })
    expect(risky.status()).toMatchObject({
      ok: true,
      warnings: [
        `Redis at 127.0.0.1:${own.port} throws records away when its memory is full (maxmemory-policy allkeys-lru): sessions and keys could be lost. Set maxmemory-policy noeviction`,
        `Redis at 127.0.0.1:${own.port} keeps no append-only file, so when it ends the newest cookies may be lost. Set appendonly yes`,
      ],
    })
    await risky.close()
  })

  it('works for a user with just the rights that the README names', async () => {
    await server.client.call(
      'ACL',
      'SETUSER',
      'castor',
      'on',
      '>right',
      '~castor:*',
      '+@read',
      '+@write',
      '+@scripting',
      '+time',
      '+info',
    )
    const store = await openRedisStateStore({ url: `redis://castor:right@127.0.0.1:${server.port}` })
    await store.set('a', 1, { ttlMs: 1000 })
    expect(await listAll(store, 'a')).toHaveLength(1)
    await (await store.tryLock('a', 1000))!.release()
    await store.count('a', { ttlMs: 1000, max: 3 })
    await store.close()
  })

  it('says that nobody answers', async () => {
    const url = 'redis://127.0.0.1:1'
    await expect(openRedisStateStore({ url, commandTimeoutMs: 1000 })).rejects.toMatchObject({
      code: 'unavailable',
      message: 'Redis at 127.0.0.1:1 cannot be reached (ECONNREFUSED)',
    })
  })

  it('refuses a version that is too old', async () => {
    // A real one that old is not at hand: this answers INFO as it would, and nothing else.
    const sockets = new Set<Socket>()
    const old = createServer((socket) => {
      sockets.add(socket)
      socket.on('data', (data) => {
        const commands = data.toString().match(/\$\d+\r\n(?:info|client|select)\r\n/gi) ?? []
        for (const command of commands) {
          const body = '# Server\r\nredis_version:5.0.14\r\nloading:0\r\n'
          socket.write(/info/i.test(command) ? `$${body.length}\r\n${body}\r\n` : '+OK\r\n')
        }
      })
    })
    await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve))
    const { port } = old.address() as AddressInfo
    await expect(openRedisStateStore({ url: `redis://127.0.0.1:${port}` })).rejects.toMatchObject({
      code: 'unsupported',
      message: `Redis at 127.0.0.1:${port} is version 5.0.14; 6.2 or newer is needed`,
    })
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => old.close(resolve))
  })

  it('says that Redis is still loading its data', async () => {
    // Half a minute in all, and heard between the keys; ended as soon as it was seen.
    const slowly = ['--key-load-delay', '20000', '--loading-process-events-interval-bytes', '1024']
    const own = await startRedis({ args: slowly })
    owned.push(own)
    const store = await openRedisStateStore({ url: own.url })
    const fill = own.client.pipeline()
    for (let index = 0; index < 1_500; index++) fill.set(`fill/${index}`, 'x'.repeat(2_000))
    await fill.exec()
    await own.client.save()
    await own.kill()
    const started = own.start().catch(({ message }: Error) => message)
    const reason = () => store.get('kept/1').catch(({ message }: Error) => message)
    const message = `Redis at 127.0.0.1:${own.port} is still loading its data`
    await expect.poll(reason, { timeout: 20_000 }).toBe(message)
    expect(store.status()).toMatchObject({ ok: false, reason: message })
    await expect(openRedisStateStore({ url: own.url })).rejects.toMatchObject({ code: 'unavailable', message })
    await store.close()
    await own.close()
    expect(await started).toBe('Connection is closed.')
  })

  it('takes no crowd that waits for Redis for a leak', async () => {
    const own = await startOwn()
    const store = await openRedisStateStore({ url: own.url, commandTimeoutMs: 1000 })
    const warnings: string[] = []
    const hear = ({ message }: Error): void => void warnings.push(message)
    process.on('warning', hear)
    await own.kill()
    await expect(store.get('lost')).rejects.toMatchObject({ code: 'unavailable' })
    await Promise.allSettled(Array.from({ length: 30 }, () => store.get('lost')))
    process.off('warning', hear)
    expect(warnings).toEqual([])
    await store.close()
  })

  it('says that Redis is away, and goes on by itself when it is back', async () => {
    const own = await startOwn()
    const store = await openRedisStateStore({ url: own.url, commandTimeoutMs: 1000 })
    const version = await store.set('kept', 1)
    const lease = (await store.tryLock('door', 60_000))!
    await own.kill()
    await expect(store.set('lost', 1)).rejects.toMatchObject({ name: 'StateError', code: 'unavailable' })
    expect(store.status()).toMatchObject({ home: 'redis', ok: false })
    expect(store.status().reason).toMatch(/^Redis at 127|^The connection to Redis at 127/)
    await own.start()
    const back = async (): Promise<void> => {
      while ((await store.get('kept').catch(() => undefined)) === undefined) await pass(10)
    }
    await back()
    expect(store.status()).toMatchObject({ home: 'redis', ok: true })
    expect(await store.get('kept')).toEqual({ key: 'kept', value: 1, version })
    expect(await lease.renew()).toBe(true)
    // Scripts are gone from a new server until they are sent again.
    expect(await store.set('kept', 2)).toBeGreaterThan(version)
    await store.close()
  })

  describe('on a wire that', () => {
    let wire: RedisWire
    beforeEach(async () => {
      wire = await startRedisWire(server.port)
    })
    afterEach(() => wire.close())

    it('goes silent makes a new connection, and goes on', async () => {
      const store = await openRedisStateStore({ url: wire.url, prefix: 'silent:', commandTimeoutMs: 300 })
      await store.set('kept', 1)
      expect(wire.made).toBe(1)
      wire.silence()
      await expect(store.get('kept')).rejects.toMatchObject({ code: 'unavailable' })
      expect(store.status()).toMatchObject({
        ok: false,
        reason: `Redis at 127.0.0.1:${new URL(wire.url).port} does not answer`,
      })
      // By itself: nobody asks for anything meanwhile.
      await expect.poll(() => store.status().ok, { timeout: 20_000 }).toBe(true)
      expect((await store.get('kept'))?.value).toBe(1)
      expect(wire.made).toBe(2)
      await store.close()
    })

    it('leads to another node after a failover goes there', async () => {
      const old = await startOwn()
      const promoted = await startOwn()
      wire.leadTo(old.port)
      const store = await openRedisStateStore({ url: wire.url })
      await store.set('kept', 1)
      await promoted.client.replicaof('127.0.0.1', old.port)
      await expect.poll(() => promoted.client.exists('castor:r:kept'), { timeout: 20_000 }).toBe(1)
      // What is connected stays on the demoted node, where it can read and not write.
      wire.leadTo(promoted.port)
      await promoted.client.replicaof('NO', 'ONE')
      await old.client.replicaof('127.0.0.1', promoted.port)
      await expect(store.set('kept', 2)).rejects.toMatchObject({
        code: 'unavailable',
        message: `Redis at 127.0.0.1:${new URL(wire.url).port} does not take writes (READONLY)`,
      })
      await expect
        .poll(
          () =>
            store.set('kept', 3).then(
              () => true,
              () => false,
            ),
          { timeout: 20_000 },
        )
        .toBe(true)
      expect(await promoted.client.get('castor:r:kept')).toMatch(/::3$/)
      expect(store.status().ok).toBe(true)
      await store.close()
    })

    it('leads to a node that takes no writes does not ask it again and again', async () => {
      const only = await startOwn()
      wire.leadTo(only.port)
      const store = await openRedisStateStore({ url: wire.url })
      await only.client.replicaof('127.0.0.1', 1)
      for (let refused = 0; refused < 30; await pass(1)) {
        const said = await store.set('a', 1).catch((error: Error) => error.message)
        if (String(said).endsWith('(READONLY)')) refused++
      }
      expect(wire.made).toBeLessThan(10)
      await store.close()
    })

    it('answers late keeps its connection, however often a step fails', async () => {
      const store = await openRedisStateStore({ url: wire.url, prefix: 'slow:', commandTimeoutMs: 400 })
      wire.delayMs = 600
      for (let times = 0; times < 6; times++)
        await expect(store.get('kept')).rejects.toMatchObject({ code: 'unavailable' })
      wire.delayMs = 0
      await expect.poll(() => store.get('kept').catch(() => 'late'), { timeout: 20_000 }).toBeUndefined()
      expect(store.status().ok).toBe(true)
      expect(wire.made).toBe(1)
      await store.close()
    })
  })

  it('gives growing tokens and versions even when Redis forgot everything', async () => {
    const own = await startOwn()
    const store = await openRedisStateStore({ url: own.url })
    const version = await store.set('a', 1)
    const lease = (await store.tryLock('door', 60_000))!
    await own.client.flushall()
    expect((await store.tryLock('door', 60_000))!.token).toBeGreaterThan(lease.token)
    expect(await store.set('a', 1)).toBeGreaterThan(version)
    expect(await lease.renew()).toBe(false)
    await store.close()
  })
})
