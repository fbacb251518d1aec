import { describe, expect, it } from 'vitest'
import type { Change } from '../table.ts'
import { createLogStore } from './file-store.ts'

/** A disk that can be full. */
function createDisk({ retryMs = 60_000 } = {}) {
  const disk = { full: false, taken: false, lines: [] as string[], appends: 0 }
  const write = async (lines: string[], append: boolean): Promise<void> => {
    await Promise.resolve()
    if (disk.full) throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
    disk.lines = append ? [...disk.lines, ...lines] : lines
    disk.appends++
  }
  const store = createLogStore({
    directory: '/data/state',
    changes: [],
    warnings: [],
    now: () => 1_800_000_000_000,
    retryMs,
    lock: { inherited: false, lost: undefined, verify: async () => undefined, release: async () => undefined },
    log: {
      append: (lines) => write(lines.trimEnd().split('\n'), true),
      rewrite: (changes: Iterable<Change>) =>
        write(
          Array.from(changes, (change) => JSON.stringify(change)),
          false,
        ),
      isLong: () => false,
      close: async () => undefined,
    },
  })
  return { disk, store }
}

describe('createLogStore', () => {
  it('writes what comes at the same time in one go', async () => {
    const { disk, store } = createDisk()
    await Promise.all(Array.from({ length: 100 }, (_, index) => store.set(`k${index}`, index)))
    expect([disk.appends <= 2, disk.lines.length]).toEqual([true, 100])
  })

  it('says that the disk is full, and writes everything once there is room', async () => {
    const { disk, store } = createDisk()
    await store.set('a', 1)
    disk.full = true
    await expect(store.set('b', 2)).rejects.toMatchObject({
      name: 'StateError',
      code: 'unavailable',
      message: 'No space is left to write /data/state; free some and it goes on',
    })
    expect(store.status()).toMatchObject({
      ok: false,
      reason: 'No space is left to write /data/state; free some and it goes on',
    })
    await expect(store.count('c')).rejects.toMatchObject({ code: 'unavailable' })
    disk.full = false
    await store.set('d', 4)
    expect(store.status()).toMatchObject({ home: 'file', ok: true })
    // What failed was kept in memory, and is on the disk now as well: never less than a reader has seen.
    expect(
      disk.lines.map((line) => JSON.parse(line) as Change).map((change) => ('r' in change ? change.r : change.c)),
    ).toEqual(['a', 'b', 'd', 'c'])
    await store.set('e', 5)
    expect(disk.lines.at(-1)).toMatch(/^[0-9a-f]{8} \{"r":"e"/)
    await store.close()
  })

  it('writes by itself what could not be written, as soon as there is room', async () => {
    const { disk, store } = createDisk({ retryMs: 5 })
    disk.full = true
    await expect(store.set('a', 1)).rejects.toMatchObject({ code: 'unavailable' })
    disk.full = false
    while (!store.status().ok) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(disk.lines.map((line) => (JSON.parse(line) as { r: string }).r)).toEqual(['a'])
    await store.close()
  })

  it('writes at the close what could not be written before', async () => {
    const { disk, store } = createDisk()
    disk.full = true
    await expect(store.set('a', 1)).rejects.toMatchObject({ code: 'unavailable' })
    disk.full = false
    await store.close()
    expect(disk.lines).toHaveLength(1)
  })
})
