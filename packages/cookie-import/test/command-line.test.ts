import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readImport } from '../src/index.ts'
import { SET, startGoogle, type Google } from './google.ts'
import { missing } from './programs.ts'

const programs = [
  { name: 'curl', jar: (path: string) => ['--silent', '--insecure', '--cookie-jar', path] },
  {
    name: 'wget',
    jar: (path: string) => [
      '--quiet',
      '--no-check-certificate',
      '--save-cookies',
      path,
      '--keep-session-cookies',
      '--output-document=-',
    ],
  },
]

describe.each(programs)('the cookies.txt that $name writes', ({ name, jar }) => {
  const programMissing = missing(name)
  if (programMissing !== undefined) console.log(programMissing)
  const folder = mkdtempSync(join(tmpdir(), `castor-${name}-`))
  let google: Google
  beforeAll(async () => {
    google = await startGoogle()
  })
  afterAll(async () => {
    await google.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it.skipIf(programMissing !== undefined)('is read: every cookie to the letter, and where it belongs', async () => {
    const path = join(folder, 'cookies.txt')
    const env = { PATH: process.env['PATH'], https_proxy: google.proxy }
    await promisify(execFile)(name, [...jar(path), 'https://gemini.google.com/app'], { env })
    const { form, cookies } = readImport(readFileSync(path, 'utf8'))
    expect(form).toBe('cookies.txt')
    expect(Object.fromEntries(cookies.map(({ name: each, value }) => [each, value]))).toEqual(SET)
    expect(cookies.find(({ name: each }) => each === 'COMPASS')).toMatchObject({
      domain: 'gemini.google.com',
      hostOnly: true,
    })
    expect(cookies.find(({ name: each }) => each === '__Secure-1PSID')).toMatchObject({ hostOnly: false })
  })
})
