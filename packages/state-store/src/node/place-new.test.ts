import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openKeyFile } from './key-file.ts'
import { lockFolder } from './folder-lock.ts'
import { placeNew } from './place-new.ts'

it('gives a file its name, and never takes the name from another', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'castor-place-'))
  const [from, to] = [join(folder, 'from'), join(folder, 'to')]
  await writeFile(from, 'new')
  await placeNew(from, to)
  await rm(from)
  await writeFile(from, 'newer')
  await expect(placeNew(from, to)).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(placeNew(join(folder, 'missing'), join(folder, 'x'))).rejects.toMatchObject({ code: 'ENOENT' })
  expect(await readFile(to, 'utf8')).toBe('new')
  await rm(folder, { recursive: true })
})

it('says that a name is a link to nothing, which the key file and the lock would look for for ever', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'castor-place-'))
  for (const name of ['state.key', 'state.lock']) await symlink(join(folder, 'unmounted', name), join(folder, name))
  const refusal = (name: string) => ({
    name: 'StateError',
    code: 'unavailable',
    message: `${join(folder, name)} is a link to something that is not there; bring that back (is its disk mounted?), or remove the link`,
  })
  await expect(openKeyFile(join(folder, 'state.key'))).rejects.toMatchObject(refusal('state.key'))
  await expect(lockFolder(folder)).rejects.toMatchObject(refusal('state.lock'))
  await rm(folder, { recursive: true })
})
