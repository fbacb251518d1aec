import { appendFile, mkdir, mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createStarters } from '../../test/race/starters.ts'
import { runKills } from '../../test/kill/run-kills.ts'
import { describeStateStore, listAll } from '../../test/store-behaviour.ts'
import { withEncryption } from '../index.ts'
import type { StateKey, StateStore } from '../index.ts'
import { openFileStateStore } from '../node.ts'
import { encodeChange } from './log-format.ts'

const folders: string[] = []
const stores: StateStore[] = []
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close()
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'castor-state-'))
  folders.push(folder)
  return join(folder, 'state')
}

async function open(directory: string): Promise<StateStore> {
  const store = await openFileStateStore({ directory })
  stores.push(store)
  return store
}

describeStateStore('a store in a file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'castor-state-'))
  let time = Date.now()
  return {
    store: await openFileStateStore({ directory, now: () => time }),
    pass: async (ms) => void (time += ms),
    close: () => rm(directory, { recursive: true, force: true }),
  }
})

describe('openFileStateStore', () => {
  it('finds everything again, but for locks', async () => {
    const directory = await newFolder()
    const first = await openFileStateStore({ directory })
    await first.set('a', { text: 'ü\n🐈' })
    await first.set('gone', 1)
    await first.delete('gone')
    await first.set('timed', 1, { ttlMs: 60_000 })
    await first.count('hits', { by: 7, ttlMs: 60_000 })
    await first.count('reset')
    await first.resetCount('reset')
    const lease = (await first.tryLock('door', 60_000))!
    const records = await listAll(first, '')
    const hits = await first.count('hits', { by: 0 })
    await first.close()

    const second = await open(directory)
    expect(await listAll(second, '')).toEqual(records)
    expect(records.map(({ key }) => key)).toEqual(['a', 'timed'])
    expect(await second.count('hits', { by: 0 })).toEqual(hits)
    expect((await second.count('reset', { by: 0 })).value).toBe(0)
    expect((await second.tryLock('door', 1000))!.token).toBeGreaterThan(lease.token)
    expect(second.status().warnings).toEqual([])
  })

  it('keeps files that only their owner can read', async () => {
    const directory = await newFolder()
    await (await open(directory)).set('a', 1)
    expect((await stat(directory)).mode & 0o777).toBe(0o700)
    for (const name of await readdir(directory)) expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600)
  })

  it('rewrites a file that is mostly history', async () => {
    const directory = await newFolder()
    const first = await openFileStateStore({ directory })
    const filler = 'x'.repeat(10_000)
    await Promise.all(Array.from({ length: 100 }, (_, index) => first.set('same', { index, filler })))
    for (let index = 0; index < 200; index++) await first.set('same', { index, filler })
    await first.set('last', true)
    await first.close()
    expect((await stat(join(directory, 'state.log'))).size).toBeLessThan(1_200_000)
    const second = await open(directory)
    expect((await second.get('same'))?.value).toEqual({ index: 199, filler })
    expect((await second.get('last'))?.value).toBe(true)
    expect((await readdir(directory)).toSorted()).toEqual(['state.lock', 'state.log'])
  })

  it('cuts a write that was not finished, at whatever byte', async () => {
    const directory = await newFolder()
    const first = await openFileStateStore({ directory })
    await first.set('a', 'kept')
    await first.close()
    const path = join(directory, 'state.log')
    const { size } = await stat(path)
    const line = encodeChange({ r: 'a', v: '"lost"', n: 9_007_199_254_740_991 })
    for (let cut = 0; cut < line.length; cut++) {
      await truncate(path, size)
      await appendFile(path, line.slice(0, cut))
      const store = await openFileStateStore({ directory })
      expect((await store.get('a'))?.value).toBe('kept')
      expect(store.status().warnings).toEqual([])
      await store.close()
      expect((await stat(path)).size).toBe(size)
    }
  })

  it('keeps a damaged file aside, names it, and goes on with what can be read', async () => {
    const directory = await newFolder()
    const first = await openFileStateStore({ directory })
    for (const key of ['a', 'b', 'c']) await first.set(key, key)
    await first.close()
    const path = join(directory, 'state.log')
    const damaged = (await readFile(path, 'utf8')).replace('"r":"b"', '"r":"B"')
    await writeFile(path, damaged)

    const second = await open(directory)
    expect((await listAll(second, '')).map(({ key }) => key)).toEqual(['a', 'c'])
    const [warning = ''] = second.status().warnings
    const aside = (await readdir(directory)).find((name) => name.startsWith('state.damaged-')) ?? ''
    expect(warning).toBe(
      `${path} was damaged in 1 place. 2 changes could be read and were kept; the damaged file is kept as ${join(directory, aside)}`,
    )
    expect(await readFile(join(directory, aside), 'utf8')).toBe(damaged)
    await second.set('b', 'again')
    await second.close()
    const third = await open(directory)
    expect(third.status().warnings).toEqual([])
    expect(await listAll(third, '')).toHaveLength(3)
  })

  it.each([
    ['empty', () => '', /state\.log was empty\. 0 changes could be read/],
    ['cut in its first line', (text: string) => text.slice(0, 10), /was damaged in 1 place\. 0 changes/],
    ['full of zeros', (text: string) => '\0'.repeat(text.length), /was damaged in 1 place\. 0 changes/],
    ['without its first line', (text: string) => text.slice(text.indexOf('\n') + 1), /in 1 place\. 3 changes/],
    [
      'missing a line break',
      (text: string) => text.replace(/\n([0-9a-f]{8} {"r":"b")/, '$1'),
      /in 1 place and cut: \d+ of \d+ bytes are left\. 1 changes/,
    ],
    ['with a strange line', (text: string) => text.replace('\n', '\nhello\n'), /in 1 place\. 3 changes/],
  ])('keeps aside a file that is %s', async (_, damage, warning) => {
    const directory = await newFolder()
    const first = await openFileStateStore({ directory })
    for (const key of ['a', 'b', 'c']) await first.set(key, key)
    await first.close()
    const path = join(directory, 'state.log')
    const damaged = damage(await readFile(path, 'utf8'))
    await writeFile(path, damaged)
    const second = await open(directory)
    expect(second.status().warnings).toEqual([expect.stringMatching(warning)])
    const aside = (await readdir(directory)).find((name) => name.startsWith('state.damaged-')) ?? ''
    expect(await readFile(join(directory, aside), 'utf8')).toBe(damaged)
    await second.set('d', 1)
    await second.close()
    const third = await open(directory)
    expect([third.status().warnings, (await third.get('d'))?.value]).toEqual([[], 1])
  })

  it.each([
    ['at the end of a line', (text: string) => text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1), 2],
    ['in the middle of one', (text: string) => text.slice(0, -10), 2],
    ['behind its first line', (text: string) => text.slice(0, text.indexOf('\n') + 1), 0],
  ])('keeps aside and names a file that was cut %s after the process was killed', async (_, cut, left) => {
    const directory = await newFolder()
    const starters = await createStarters()
    try {
      const writer = await starters.start()
      await writer.tell({ open: directory, at: 0 })
      for (const key of ['a', 'b', 'c']) expect(await writer.tell({ write: key })).toEqual({ outcome: 'written' })
      await writer.kill()
    } finally {
      await starters.close()
    }
    const path = join(directory, 'state.log')
    const whole = await readFile(path, 'utf8')
    const text = cut(whole)
    await writeFile(path, text)
    const store = await open(directory)
    const aside = (await readdir(directory)).find((name) => name.startsWith('state.damaged-')) ?? ''
    expect(store.status().warnings).toEqual([
      `${path} was cut: ${text.lastIndexOf('\n') + 1} of ${whole.length} bytes are left. ${left} changes could be read and were kept; the damaged file is kept as ${join(directory, aside)}`,
    ])
    expect(await readFile(join(directory, aside), 'utf8')).toBe(text)
    await store.close()
    const again = await open(directory)
    expect([again.status().warnings, await listAll(again, '')]).toEqual([[], expect.objectContaining({ length: left })])
  })

  it('takes over a file from before it told how long it is', async () => {
    const directory = await newFolder()
    await mkdir(directory)
    const path = join(directory, 'state.log')
    await writeFile(path, `9f76b637 {"castorState":1}\n${encodeChange({ r: 'a', v: '1', n: 5 })}`)
    const store = await openFileStateStore({ directory })
    expect([(await store.get('a'))?.value, store.status().warnings]).toEqual([1, []])
    await store.close()
    expect(await readFile(path, 'utf8')).toMatch(/^[0-9a-f]{8} \{"castorState":1,"kept": +\d+\}\n/)
  })

  it('keeps nothing that an old key could open once everything is sealed anew', async () => {
    const directory = await newFolder()
    const keys: StateKey[] = ['old', 'new'].map((id) => ({ id, key: Buffer.alloc(32, id) }))
    const [old, fresh] = keys as [StateKey, StateKey]
    const first = withEncryption(await openFileStateStore({ directory }), { keys: [old] })
    await first.checkKeys()
    for (let index = 0; index < 5; index++) await first.set('account', { cookie: index })
    await first.set('gone', 1)
    await first.delete('gone')
    await first.close()
    const path = join(directory, 'state.log')
    expect(await readFile(path, 'utf8')).toContain('old')

    const both = withEncryption(await openFileStateStore({ directory }), { keys: [fresh, old] })
    expect(await both.reseal()).toBe(1)
    await both.close()
    expect(await readFile(path, 'utf8')).not.toContain('old')
    const second = withEncryption(await openFileStateStore({ directory }), { keys: [fresh] })
    await second.checkKeys()
    expect((await second.get('account'))?.value).toEqual({ cookie: 4 })
    await second.close()
  })

  it('does not start on something else, or on what a newer version wrote', async () => {
    const directory = await newFolder()
    await mkdir(directory)
    await writeFile(join(directory, 'state.log'), 'this is not a log\n')
    const store = await openFileStateStore({ directory })
    expect(store.status().warnings).toHaveLength(1)
    await store.close()
    const newer = `${encodeChange({ castorState: 2 } as never)}`
    await writeFile(join(directory, 'state.log'), newer)
    await expect(openFileStateStore({ directory })).rejects.toMatchObject({
      code: 'unsupported',
      message: 'The state was written by a newer version (format 2); upgrade, or restore a backup',
    })
    expect(await readFile(join(directory, 'state.log'), 'utf8')).toBe(newer)
    expect(await readdir(directory)).not.toContain('state.lock')
  })

  it('writes nothing more once another process has its folder, however busy it is', async () => {
    const directory = await newFolder()
    const store = await open(directory)
    await store.set('a', 1)
    // As if this process had been stopped, and another one had taken over meanwhile.
    await rm(join(directory, 'state.lock'))
    await writeFile(join(directory, 'state.lock'), '{"pid":1,"host":"elsewhere","id":"other"}')
    const log = join(directory, 'state.log')
    const message = `Another process took ${directory} while this one was stopped; restart it`
    for (;;) {
      const written = await store.set('busy', 1).then(
        () => true,
        (error: unknown) => (expect(error).toMatchObject({ code: 'in_use', message }), false),
      )
      if (!written) break
    }
    const left = await readFile(log)
    await expect(store.count('hits')).rejects.toMatchObject({ code: 'in_use' })
    await expect(store.compact()).rejects.toMatchObject({ code: 'in_use' })
    // What it remembers may be old by now.
    await expect(store.get('a')).rejects.toMatchObject({ code: 'in_use', message })
    expect(store.status()).toMatchObject({ ok: false, reason: message })
    await store.close()
    expect(await readFile(log)).toEqual(left)
    expect((await readdir(directory)).toSorted()).toEqual(['state.lock', 'state.log'])
  })

  it('says what it cannot use', async () => {
    const directory = await newFolder()
    await writeFile(directory, 'a file')
    await expect(openFileStateStore({ directory: join(directory, 'x') })).rejects.toMatchObject({
      name: 'StateError',
      code: 'unavailable',
      message: `${join(directory, 'x')} cannot be used (ENOTDIR)`,
    })
  })

  it.each(['state.log', 'state.lock', 'state.log.new-1'])(
    'names what is a folder where a file belongs: %s',
    async (name) => {
      const directory = await newFolder()
      const path = join(directory, name)
      await mkdir(path, { recursive: true })
      await expect(openFileStateStore({ directory })).rejects.toMatchObject({
        code: 'unavailable',
        message: `${path} is a folder, and a file belongs there; move the folder away`,
      })
      expect(await readdir(directory)).toEqual([name])
    },
  )

  it('names what is a file where its folder belongs', async () => {
    const directory = await newFolder()
    await writeFile(directory, 'a file')
    await expect(openFileStateStore({ directory })).rejects.toMatchObject({
      code: 'unavailable',
      message: `${directory} is no folder, and a folder belongs there; move away what has its name`,
    })
  })

  it('loses nothing that was acknowledged when it is killed at any moment', async () => {
    const report = await runKills(Number(process.env['CASTOR_KILLS'] ?? 15), Math.random)
    if (process.env['CASTOR_KILLS'] !== undefined) console.log(report)
    expect({ lost: report.lost, warnings: report.warnings }).toEqual({ lost: 0, warnings: [] })
    expect(report.acknowledged).toBeGreaterThan(report.kills)
  }, 600_000)
})
