import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMemoryStateStore, withEncryption } from '../index.ts'
import { dropOldKeys, openKeyFile, rotateKeyFile } from '../node.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'castor-keys-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('openKeyFile', () => {
  it('makes a key once, for its owner only, even when many ask at once', async () => {
    const path = join(folder, 'keys')
    const [first, ...others] = await Promise.all(Array.from({ length: 5 }, () => openKeyFile(path)))
    for (const other of others) expect(other).toEqual(first)
    expect([(await stat(path)).mode & 0o777, await readdir(folder)]).toEqual([0o600, ['keys']])
  })

  it('puts a new key in front and keeps the old ones', async () => {
    const path = join(folder, 'keys')
    const plain = createMemoryStateStore()
    const old = await openKeyFile(path)
    await withEncryption(plain, { keys: old }).set('x', 'sealed with the old one')
    const keys = await rotateKeyFile(path)
    expect([keys.length, keys[1], await openKeyFile(path)]).toEqual([2, old[0], keys])
    const store = withEncryption(plain, { keys })
    expect((await store.get('x'))?.value).toBe('sealed with the old one')
    expect(await store.reseal()).toBe(1)
  })

  it('keeps the newest key only, also of what was left behind when a write was killed', async () => {
    const path = join(folder, 'state.key')
    await openKeyFile(path)
    const [newest] = await rotateKeyFile(path)
    const others = ['state.key.backup', 'state.key.bak-1bb9859b-09ac-4cc7-9f23-5964980345d5', 'state']
    for (const name of [...others, 'state.key.1bb9859b-09ac-4cc7-9f23-5964980345d5']) {
      await writeFile(join(folder, name), await readFile(path))
    }
    await dropOldKeys(path)
    expect([await openKeyFile(path), await readdir(folder)]).toEqual([
      [newest],
      expect.arrayContaining(['state.key', ...others]),
    ])
    expect(await readdir(folder)).toHaveLength(4)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  it('names what is a folder where the file belongs', async () => {
    await expect(openKeyFile(folder)).rejects.toMatchObject({
      code: 'unavailable',
      message: `${folder} is a folder, and a file belongs there; move the folder away`,
    })
  })

  it.each(['', 'garbage', 'id short=='])('does not replace a file that holds %j', async (text) => {
    const path = join(folder, 'keys')
    await writeFile(path, text)
    await expect(openKeyFile(path)).rejects.toMatchObject({
      name: 'StateError',
      code: 'invalid',
      message: expect.stringContaining('is not a key file'),
    })
    expect(await readFile(path, 'utf8')).toBe(text)
  })
})
