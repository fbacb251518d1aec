import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import puppeteer from 'puppeteer-core'
import { afterAll, describe, expect, it } from 'vitest'
import { readImport } from '../src/index.ts'
import { readImportPath } from '../src/node.ts'
import { SET } from './google.ts'
import { missing } from './programs.ts'

const firefoxMissing = missing('firefox-esr')
if (firefoxMissing !== undefined) console.log(firefoxMissing)

const folder = mkdtempSync(join(tmpdir(), 'castor-real-firefox-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.skipIf(firefoxMissing !== undefined)('what Firefox writes', () => {
  it(
    'is read out of its profile while it runs and after it was closed, and out of Puppeteer’s list',
    { timeout: 90_000 },
    async () => {
      const browser = await puppeteer.launch({
        browser: 'firefox',
        executablePath: '/usr/bin/firefox-esr',
        headless: true,
        userDataDir: folder,
      })
      let list: string
      const lasting = Object.entries(SET).filter(([name]) => name !== 'COMPASS')
      const given = async () =>
        Object.fromEntries((await readImportPath(folder)).cookies.map(({ name, value }) => [name, value]))
      try {
        const expires = Math.round(Date.now() / 1_000) + 10_000_000
        await browser.setCookie(
          ...lasting.map(([name, value]) => ({
            name,
            value,
            domain: '.google.com',
            path: '/',
            secure: true,
            httpOnly: true,
            expires,
          })),
          // Firefox keeps those of a session in memory only.
          { name: 'COMPASS', value: 'bard=1', domain: 'gemini.google.com', path: '/', secure: true, httpOnly: true },
          { name: 'theirs', value: 'not-googles', domain: 'www.example.com', path: '/', secure: true, expires },
        )
        list = JSON.stringify(await browser.cookies())
        // It writes behind itself, into the journal.
        await expect.poll(() => given().catch(() => ({})), { timeout: 15_000 }).toEqual(Object.fromEntries(lasting))
      } finally {
        await browser.close()
      }
      expect(await given()).toEqual(Object.fromEntries(lasting))
      expect(await readImportPath(join(folder, 'cookies.sqlite'))).toMatchObject({
        form: 'firefox-profile',
        advice: [],
      })
      expect(Object.fromEntries(readImport(list).cookies.map(({ name, value }) => [name, value]))).toEqual(SET)
    },
  )
})
