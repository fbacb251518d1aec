import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type BrowserContext } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { CookieImportError, readImport } from '../src/index.ts'
import { SET, startGoogle, YEAR_SECONDS, type Google } from './google.ts'
import { CHROMIUM_FLAGS, missing } from './programs.ts'

const chromiumMissing = missing('chromium')
if (chromiumMissing !== undefined) console.log(chromiumMissing)

/** What the developer tools put on the clipboard or save, each made by their own code. */
interface Copies {
  bash: string
  cmd: string
  powershell: string
  fetchNode: string
  fetch: string
  allBash: string
  har: string
  harSanitized: string
}

/** Runs in the page of the developer tools, whose modules are theirs: Chromium 130 to 156 have these names. */
const COPY = `(async () => {
  const load = (path) => import(new URL(path, location.href).href)
  const { NetworkLog } = await load('./models/logs/logs.js')
  const { NetworkLogView } = await load('./panels/network/network.js')
  const { Log } = await load('./models/har/har.js')
  const requests = NetworkLog.NetworkLog.instance().requests().filter((each) => !each.url().endsWith('favicon.ico'))
  const last = requests.at(-1)
  if (!last?.url().includes('batchexecute') || !last.finished) return undefined
  const View = NetworkLogView.NetworkLogView
  const har = async (sanitize) => JSON.stringify({ log: await Log.Log.build(requests, { sanitize }) }, null, 2)
  return {
    bash: await View.generateCurlCommand(last, 'unix'),
    cmd: await View.generateCurlCommand(last, 'win'),
    powershell: await View.prototype.generatePowerShellCommand(last),
    fetchNode: await View.prototype.generateFetchCall(last, 1),
    fetch: await View.prototype.generateFetchCall(last, 0),
    allBash: (await Promise.all(requests.map((each) => View.generateCurlCommand(each, 'unix')))).join(' ;\\n'),
    har: await har(false),
    harSanitized: await har(true),
  }
})()`

describe.skipIf(chromiumMissing !== undefined)('what Chromium and its tools write', () => {
  const folder = mkdtempSync(join(tmpdir(), 'castor-chromium-'))
  let google: Google
  let context: BrowserContext
  let copies: Copies
  let storageState: string

  beforeAll(async () => {
    google = await startGoogle()
    context = await chromium.launchPersistentContext(join(folder, 'profile'), {
      executablePath: '/usr/bin/chromium',
      args: [
        ...CHROMIUM_FLAGS,
        '--remote-debugging-port=0',
        '--remote-allow-origins=*',
        `--host-resolver-rules=MAP *.google.com 127.0.0.1:${google.port}, MAP *.example.com 127.0.0.1:${google.port}`,
      ],
      ignoreHTTPSErrors: true,
      recordHar: { path: join(folder, 'playwright.har') },
    })
    const page = await context.newPage()
    await page.goto('https://www.example.com/')
    await page.goto('https://gemini.google.com/app')
    const [port = ''] = readFileSync(join(folder, 'profile', 'DevToolsActivePort'), 'utf8').split('\n')
    const targets = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as { id: string; url: string }[]
    const target = targets.find(({ url }) => url.startsWith('https://gemini.google.com'))
    const tools = await context.newPage()
    await tools.goto(
      `http://127.0.0.1:${port}/devtools/inspector.html?ws=127.0.0.1:${port}/devtools/page/${target?.id}`,
    )
    // The tools record from the moment they are attached.
    copies = await vi.waitFor(
      async () => {
        await page.goto('https://gemini.google.com/u/2/app?hl=en&pli=1')
        await page.evaluate(() =>
          fetch('/u/2/_/BardChatUi/data/batchexecute?rpcids=otAQ7b', {
            method: 'POST',
            headers: { 'x-goog-authuser': '2', 'x-same-domain': '1' },
            body: `f.req=%5B%5D&at=A-b%3A1!'"&cookie=__Secure-1PSID=g.a000decoy`,
          }).then((response) => response.text()),
        )
        const found = await tools.evaluate<Copies | undefined>(COPY)
        if (found === undefined) throw new Error('The tools have not seen the request yet')
        return found
      },
      { timeout: 40_000, interval: 300 },
    )
    storageState = JSON.stringify(await context.storageState())
    await context.close()
  }, 60_000)

  afterAll(async () => {
    await context?.close()
    await google?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const given = (text: string) => Object.fromEntries(readImport(text).cookies.map(({ name, value }) => [name, value]))

  it.each<[string, () => string, string]>([
    ['"Copy as cURL (bash)"', () => copies.bash, 'curl'],
    ['"Copy as cURL (cmd)"', () => copies.cmd, 'curl'],
    ['"Copy all as cURL (bash)"', () => copies.allBash, 'curl'],
    ['"Copy as PowerShell"', () => copies.powershell, 'powershell'],
    ['"Copy as fetch (Node.js)"', () => copies.fetchNode, 'fetch'],
    ['"Save all as HAR with sensitive data"', () => copies.har, 'har'],
  ])('reads %s: every cookie to the letter, and the account', (_, text, form) => {
    expect(given(text())).toEqual(SET)
    const { form: found, accountIndex, deviceBound } = readImport(text())
    expect({ found, accountIndex, deviceBound }).toEqual({ found: form, accountIndex: 2, deviceBound: false })
  })

  it('reads Playwright’s storage state and HAR', () => {
    expect([given(storageState), readImport(storageState).form]).toEqual([SET, 'json'])
    const har = readFileSync(join(folder, 'playwright.har'), 'utf8')
    expect([given(har), readImport(har).form, readImport(har).accountIndex]).toEqual([SET, 'har', 2])
  })

  it('keeps where each cookie belongs', () => {
    for (const text of [storageState, copies.har]) {
      const { cookies, sessionEndsMs = 0 } = readImport(text)
      const places = cookies.map(({ name, domain = '', hostOnly = false }) => `${name} ${domain} ${hostOnly}`)
      expect(places.sort()).toEqual([
        'COMPASS gemini.google.com true',
        'NID .google.com false',
        '__Secure-1PSID .google.com false',
        '__Secure-1PSIDTS .google.com false',
      ])
      expect(Math.abs(sessionEndsMs - Date.now() - YEAR_SECONDS * 1_000)).toBeLessThan(300_000)
    }
  })

  it.each<[string, () => string, RegExp]>([
    ['a HAR saved without sensitive data', () => copies.harSanitized, /sensitive data/],
    ['"Copy as fetch"', () => copies.fetch, /Copy as fetch \(Node\.js\)/],
  ])('says of %s that the browser left the cookies out', (_, text, remedy) => {
    let error: unknown
    try {
      readImport(text())
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(CookieImportError)
    expect(error).toMatchObject({ code: 'withheld', message: expect.stringMatching(remedy) as string })
  })
})
