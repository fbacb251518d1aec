import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, extname, join, relative } from 'node:path'
import { WatermarkError } from './error.ts'
import { removeVisibleMark, type AnyOptions, type AnyResult } from './jimp.ts'
import { MAX_BYTES } from './limits.ts'

export { removeVisibleMark } from './jimp.ts'
export type { AnyOptions, AnyResult, FoundMark, PictureFormat } from './jimp.ts'

/** What happened to one file; plain JSON. */
export interface FileReport extends Omit<AnyResult, 'bytes'> {
  input: string
  /** Where the picture was written; absent in a dry run. */
  output?: string
  inputBytes: number
  outputBytes: number
}

const PICTURE_NAMES = new Set(['.png', '.jpg', '.jpeg', '.bmp'])

/**
 * Takes the visible mark off a picture on disk and writes the result, also when nothing was found (then it is a copy).
 * The output appears whole or not at all; it may be the input.
 *
 * @throws {WatermarkError} as `removeVisibleMark` does; file system errors as they are.
 */
export async function removeFromFile(input: string, output: string, options: AnyOptions = {}): Promise<FileReport> {
  const { size } = await stat(input)
  const most = options.maxBytes ?? MAX_BYTES
  if (size > most) throw new WatermarkError('too_large', `The file has ${size} bytes; maxBytes allows ${most}`)
  const before = new Uint8Array(await readFile(input))
  const { bytes, ...result } = await removeVisibleMark(before, options)
  const report = { input, ...result, inputBytes: before.length, outputBytes: bytes.length }
  if (options.dryRun === true) return report
  await mkdir(dirname(output), { recursive: true })
  const unfinished = `${output}.${process.pid}.part`
  try {
    await writeFile(unfinished, bytes)
    await rename(unfinished, output)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
  return { ...report, output }
}

/** The pictures in a folder and below it, as paths relative to it, sorted; chosen by name, hidden files left out. */
export async function listPictures(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .filter(({ name }) => PICTURE_NAMES.has(extname(name).toLowerCase()))
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
    .sort()
}
