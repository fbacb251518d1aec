import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createStarters, namespacesMissing } from '../../test/race/starters.ts'
import { lockFolder } from './folder-lock.ts'
import { describeThisProcess } from './lock-holder.ts'

if (namespacesMissing !== undefined) console.log(namespacesMissing)

/** No process has it. */
const NO_PID = 4_194_304

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'castor-lock-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** Leaves a lock as another process would. */
async function leaveLock(content: object | string, { ageMs = 0, folder = directory } = {}): Promise<void> {
  const path = join(folder, 'state.lock')
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
  const touched = (Date.now() - ageMs) / 1000
  await utimes(path, touched, touched)
}

async function lockAndLeave(): Promise<boolean> {
  const lock = await lockFolder(directory)
  await lock.release()
  return lock.inherited
}

describe('lockFolder', () => {
  it('takes a folder for one', async () => {
    const first = await lockFolder(directory)
    await expect(lockFolder(directory)).rejects.toMatchObject({
      name: 'StateError',
      code: 'in_use',
      message: `${directory} is already open in this process`,
    })
    await first.release()
    expect(await lockAndLeave()).toBe(false)
    expect(await readdir(directory)).toEqual([])
  })

  it('names the process that has it, the one that started this one', async () => {
    const parent = { ...(await describeThisProcess()), pid: process.ppid }
    await leaveLock(parent)
    await expect(lockFolder(directory)).rejects.toMatchObject({
      code: 'in_use',
      message: `${directory} is used by process ${process.ppid} on ${parent.host}; stop it, or give this one a folder of its own`,
    })
    expect(await readdir(directory)).toEqual(['state.lock'])
  })

  it('takes over at once from a process that is dead', async () => {
    const self = await describeThisProcess()
    await leaveLock({ ...self, pid: NO_PID })
    expect(await lockAndLeave()).toBe(false)
    // This one's number, from an earlier life.
    await leaveLock({ ...self, id: 'earlier' })
    expect(await lockAndLeave()).toBe(false)
    expect(await readdir(directory)).toEqual([])
  })

  it.each([
    ['another host', { host: 'elsewhere' }],
    ['another boot', { boot: 'before' }],
    ['another container', { pids: 'pid:[1]' }],
    ['a version that did not say where it was', { boot: undefined, pids: undefined }],
  ])('believes no number from %s, and watches for a sign of life', async (_, place) => {
    // Here it would mean that the holder is dead.
    await leaveLock({ ...(await describeThisProcess()), pid: NO_PID, ...place }, { ageMs: 60_000 })
    const beat = setInterval(() => {
      const now = new Date()
      void utimes(join(directory, 'state.lock'), now, now)
    }, 300)
    await expect(lockFolder(directory)).rejects.toMatchObject({ code: 'in_use' })
    clearInterval(beat)
  })

  it.each([
    ['cannot be asked', JSON.stringify({ pid: 1, host: 'elsewhere' })],
    ['left a broken lock', ''],
  ])('takes over from a holder that %s when it stays silent, and knows that it may wake', async (_, content) => {
    await leaveLock(content, { ageMs: 60_000 })
    expect(await lockAndLeave()).toBe(true)
    expect(await readdir(directory)).toEqual([])
  })

  it('goes on where one died while it took over', async () => {
    const self = await describeThisProcess()
    const dead = JSON.stringify({ ...self, pid: NO_PID, id: 'first' })
    await leaveLock(dead)
    // What guards that takeover is held by another dead process.
    await leaveLock({ ...self, pid: NO_PID, id: 'first' })
    const guard = `state.lock.${createHash('sha256').update(dead).digest('hex').slice(0, 16)}`
    await writeFile(join(directory, guard), JSON.stringify({ ...self, pid: NO_PID, id: 'second' }))
    expect(await lockAndLeave()).toBe(false)
    expect(await readdir(directory)).toEqual([])
  })

  it('is lost as soon as another one is seen to have it, or to have had it', async () => {
    for (const change of [() => leaveLock({ pid: 1, host: 'elsewhere' }), () => rm(join(directory, 'state.lock'))]) {
      const lock = await lockFolder(directory)
      await lock.verify()
      await change()
      while (lock.lost === undefined) await new Promise((resolve) => setTimeout(resolve, 50))
      await expect(lock.verify()).rejects.toBe(lock.lost)
      expect(lock.lost).toMatchObject({ code: 'in_use' })
      const left = await readdir(directory)
      await lock.release()
      expect(await readdir(directory)).toEqual(left)
      await rm(join(directory, 'state.lock'), { force: true })
    }
  })

  it('shows that it lives', async () => {
    const lock = await lockFolder(directory)
    const path = join(directory, 'state.lock')
    const { mtimeMs } = await stat(path)
    await expect.poll(async () => (await stat(path)).mtimeMs, { timeout: 20_000 }).toBeGreaterThan(mtimeMs)
    await lock.release()
  })
})

describe('processes that start at once', () => {
  it('get the folder of a dead one: one of them, and the others are told', async () => {
    const starters = await createStarters()
    try {
      const all = await Promise.all(Array.from({ length: 4 }, () => starters.start()))
      for (let round = 0; round <= 40; round++) {
        const folder = await mkdtemp(join(directory, 'round-'))
        // The last one cannot be asked, so that all of them watch it at the same time.
        const left = { ...(await describeThisProcess()), pid: NO_PID, ...(round < 40 ? {} : { pids: 'pid:[1]' }) }
        await leaveLock(left, { folder, ageMs: 60_000 })
        const at = Date.now() + 20
        const answers = await Promise.all(all.map((starter) => starter.tell({ open: folder, at })))
        const told = answers.map(({ outcome, code }) => code ?? outcome).toSorted()
        expect(told, JSON.stringify(answers)).toEqual(['in_use', 'in_use', 'in_use', 'open'])
        const winner = all[answers.findIndex(({ outcome }) => outcome === 'open')]
        expect((await winner?.tell({ write: 'a' }))?.outcome).toBe('written')
        expect((await winner?.tell({ close: true }))?.outcome).toBe('closed')
        expect(await readdir(folder)).toEqual(['state.log'])
      }
    } finally {
      await starters.close()
    }
  })

  it.skipIf(namespacesMissing !== undefined)(
    'in containers of one host name keep out of each other’s folder',
    async () => {
      const starters = await createStarters()
      try {
        const [one, two] = [await starters.start({ namespace: true }), await starters.start({ namespace: true })]
        // Each is process 1 of its container.
        expect(await one.tell({ open: directory, at: 0 })).toEqual({ outcome: 'open' })
        expect(await two.tell({ open: directory, at: 0 })).toMatchObject({ outcome: 'refused', code: 'in_use' })
        expect(await one.tell({ write: 'a' })).toEqual({ outcome: 'written' })
        // A killed one leaves its lock behind, and nobody to ask.
        await one.kill()
        expect(await two.tell({ open: directory, at: 0 })).toEqual({ outcome: 'open' })
        expect(await two.tell({ write: 'b' })).toEqual({ outcome: 'written' })
      } finally {
        await starters.close()
      }
    },
  )
})
