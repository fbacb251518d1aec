import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeFolder, openFileStateStore } from '../node.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'castor-folders-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const modeOf = async (path: string) => (await stat(path)).mode & 0o777

describe('makeFolder', () => {
  it('makes what is missing for its owner only, and leaves what is there as it is', async () => {
    await mkdir(join(folder, 'there'), { mode: 0o755 })
    const path = join(folder, 'there', 'new', 'deep')
    await Promise.all(Array.from({ length: 5 }, () => makeFolder(path)))
    await makeFolder(path)
    const parts = ['there', 'there/new', 'there/new/deep'].map((part) => modeOf(join(folder, part)))
    expect(await Promise.all(parts)).toEqual([0o755, 0o700, 0o700])
  })

  it('says what is in the way', async () => {
    await writeFile(join(folder, 'file'), '')
    await symlink(join(folder, 'nowhere'), join(folder, 'link'))
    await expect(makeFolder(join(folder, 'file'))).rejects.toMatchObject({ code: 'EEXIST' })
    await expect(makeFolder(join(folder, 'file', 'below', 'it'))).rejects.toMatchObject({ code: 'ENOTDIR' })
    await expect(makeFolder(join(folder, 'link'))).rejects.toMatchObject({ code: 'EEXIST' })
    await expect(makeFolder(join(folder, 'link', 'below'))).rejects.toMatchObject({ code: 'EEXIST' })
  })

  it.skipIf(!existsSync('/proc/self'))('ends where nothing can be made, as in /proc', async () => {
    await expect(makeFolder('/proc/nope')).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(makeFolder('/proc/nope/deeper')).rejects.toMatchObject({ code: 'ENOENT', path: '/proc/nope' })
    await expect(openFileStateStore({ directory: '/proc/nope' })).rejects.toMatchObject({
      code: 'unavailable',
      message: '/proc/nope cannot be used (ENOENT)',
    })
  })
})
