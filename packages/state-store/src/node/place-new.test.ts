import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
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
