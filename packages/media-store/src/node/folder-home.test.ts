import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { broken, gather, png } from '../../test/pictures.ts'
import { describeEviction, describeMediaStore } from '../../test/store-behaviour.ts'
import type { StoreSetup } from '../../test/store-behaviour.ts'
import { createFolderMediaStore } from '../node.ts'

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

const newFolder = async (): Promise<string> => join(await mkdtemp(join(tmpdir(), 'castor-media-')), 'media')

async function setUp(): Promise<StoreSetup> {
  const directory = await newFolder()
  return {
    create: (options) => createFolderMediaStore({ directory, ...options }),
    close: () => rm(join(directory, '..'), { recursive: true, force: true }),
  }
}

async function open(): Promise<{ directory: string; store: ReturnType<typeof createFolderMediaStore> }> {
  const directory = await newFolder()
  folders.push(join(directory, '..'))
  return { directory, store: createFolderMediaStore({ directory }) }
}

describeMediaStore('a store in a folder', setUp)
describeEviction('a store in a folder', setUp)

describe('createFolderMediaStore', () => {
  it('keeps files that only their owner can read, and nothing else', async () => {
    const { directory, store } = await open()
    const { id } = await store.put(png(10))
    await store.put(broken(png(2_000_000), new Error('broken'))).catch(() => undefined)
    expect((await readdir(directory)).toSorted()).toEqual([id, `${id}.entry.json`])
    for (const name of await readdir(directory)) expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600)
    expect((await stat(directory)).mode & 0o777).toBe(0o700)
  })

  it('shows another process what the first one put and deleted', async () => {
    const { directory, store } = await open()
    const other = createFolderMediaStore({ directory })
    const { id } = await store.put(png(10))
    expect(await gather((await other.get(id))!.body)).toEqual(png(10))
    await store.delete(id)
    expect(await other.get(id)).toBeUndefined()
  })

  it('serves nothing that a crash left half written, and sweeps it away after an hour', async () => {
    const { directory, store } = await open()
    const { id } = await store.put(png(10))
    const orphan = id.replace(/-./, (text) => (text === '-A' ? '-B' : '-A'))
    await writeFile(join(directory, orphan), 'no description yet')
    await writeFile(join(directory, 'tmp-1'), 'half')
    await writeFile(join(directory, 'notes.txt'), 'not ours')
    expect(await store.get(orphan)).toBeUndefined()
    await store.sweep()
    expect(await readdir(directory)).toHaveLength(5)

    const old = Date.now() / 1000 - 7200
    for (const name of [orphan, 'tmp-1', 'notes.txt']) await utimes(join(directory, name), old, old)
    await store.sweep()
    expect((await readdir(directory)).toSorted()).toEqual([id, `${id}.entry.json`, 'notes.txt'].toSorted())
  })

  it('does not serve a file that was cut or a description that is damaged', async () => {
    const { directory, store } = await open()
    const { id } = await store.put(png(10))
    await writeFile(join(directory, id), 'cut')
    expect(await store.get(id)).toBeUndefined()
    const second = await store.put(png(10))
    await writeFile(join(directory, `${second.id}.entry.json`), '{"mimeType":')
    expect(await createFolderMediaStore({ directory }).get(second.id)).toBeUndefined()
  })

  it('says which folder cannot be used', async () => {
    const { directory } = await open()
    await writeFile(directory, 'a file in its place')
    await expect(createFolderMediaStore({ directory: join(directory, 'x') }).put(png(10))).rejects.toMatchObject({
      name: 'MediaStoreError',
      code: 'unavailable',
      message: `${join(directory, 'x')} cannot be used (ENOTDIR)`,
    })
  })
})
