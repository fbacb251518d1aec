import { mkdtemp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { drawPicture } from '../test/corpus.ts'
import { writeJpeg } from '../test/jpeg-writer.ts'
import { withMark } from '../test/marking.ts'
import { writePng } from '../test/png-writer.ts'
import { run } from './command.ts'
import { listPictures, removeFromFile } from './node.ts'

const MARKED = withMark(drawPicture('clouds', 1, 112), 'v1-48')
const PNG = writePng(MARKED)
let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'castor-watermark-'))
  await mkdir(join(folder, 'in/deep'), { recursive: true })
  await writeFile(join(folder, 'in/marked.png'), PNG)
  await writeFile(join(folder, 'in/deep/marked.JPG'), writeJpeg(MARKED))
  await writeFile(join(folder, 'in/broken.png'), PNG.subarray(0, 500))
  await writeFile(join(folder, 'in/notes.txt'), 'not a picture')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const at = (name: string) => join(folder, name)

/** Runs the command with what it prints kept. */
async function command(...args: string[]) {
  let out = ''
  let err = ''
  const code = await run(args, { out: (text) => (out += text), err: (text) => (err += text) })
  return { code, out, err }
}

describe('removeFromFile', () => {
  it('writes the restored picture and says what it did', async () => {
    const report = await removeFromFile(at('in/marked.png'), at('out/new/clean.png'))
    expect(report).toMatchObject({
      input: at('in/marked.png'),
      output: at('out/new/clean.png'),
      format: 'png',
      changed: true,
      marks: [{ mark: 'v1-48', x: 32, y: 32, width: 48, height: 48, scale: 1, lossless: true }],
      inputBytes: PNG.length,
    })
    expect((await readFile(at('out/new/clean.png'))).length).toBe(report.outputBytes)
    expect(await readdir(at('out/new'))).toEqual(['clean.png'])
  })

  it('refuses a file over the limit without reading it', async () => {
    await expect(removeFromFile(at('in/marked.png'), at('x.png'), { maxBytes: 10 })).rejects.toMatchObject({
      code: 'too_large',
    })
  })
})

describe('listPictures', () => {
  it('lists pictures by name, in the folder and below', async () => {
    expect(await listPictures(at('in'))).toEqual(['broken.png', 'deep/marked.JPG', 'marked.png'])
  })
})

describe('the command', () => {
  it('takes one file to another', async () => {
    const { code, out } = await command(at('in/marked.png'), '-o', at('clean.png'))
    expect([code, out.replaceAll(folder, '')]).toEqual([0, '/in/marked.png: v1-48 at 32,32 (0.99) -> /clean.png\n'])
    const again = await command(at('clean.png'), '--dry-run')
    expect([again.code, again.out.replaceAll(folder, '')]).toEqual([0, '/clean.png: no mark (refuted)\n'])
  })

  it('takes a folder, goes on after a broken file, and reports as JSON', async () => {
    const { code, out } = await command(at('in'), '-o', at('out'), '--json', '--report', at('report.json'))
    const reports = JSON.parse(out) as Record<string, unknown>[]
    expect(code).toBe(1)
    expect(reports.map(({ error, changed }) => error ?? changed)).toEqual(['truncated', true, true])
    expect(await readFile(at('report.json'), 'utf8')).toBe(out)
    expect((await readdir(at('out'), { recursive: true })).sort()).toEqual(['deep', 'deep/marked.JPG', 'marked.png'])
  })

  it('writes nothing in a dry run', async () => {
    const { code } = await command(at('in/marked.png'), '--dry-run')
    expect(code).toBe(0)
    expect(await readdir(folder)).toEqual(['in'])
  })

  it.each([
    [[], 'name a picture or a folder'],
    [['a.png'], 'name an output with -o'],
    [['a.png', '-o', 'b.png', '--confidence', '7'], '--confidence must lie between 0 and 1'],
    [['a.png', '--no-such-option'], "Unknown option '--no-such-option'"],
  ])('says what is wrong with %j', async (args, message) => {
    const { code, err } = await command(...args)
    expect(code).toBe(2)
    expect(err).toContain(message)
  })
})
