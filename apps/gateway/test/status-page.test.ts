import { existsSync } from 'node:fs'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startStack, type Stack } from './stack.ts'

const CHROMIUM = '/usr/bin/chromium'
const hasChromium = existsSync(CHROMIUM)
if (!hasChromium) console.log('chromium is not installed: its tests are left out (apt-get install chromium)')

const MARKUP = '<img src=x onerror=alert(1)><script>alert(2)</script>'
/** All that a path may be, and longer than any screen. */
const PATHS = ['/', '//evil.example', '/..', '/-._', `/${'long'.repeat(60)}`]
/** Names that a browser takes for hosts, and a shell for commands. */
const HOSTS = ['$(id).evil.example', "a';id;'.evil.example", '`id`.evil.example', 'a&b.evil.example']

let stack: Stack
let browser: Browser
const complaints: string[] = []

describe.skipIf(!hasChromium)('the page at / in a browser', () => {
  beforeAll(async () => {
    stack = await startStack({
      config: {
        accounts: [{ label: MARKUP, cookies: '__Secure-1PSID=g.a000x' }],
        geminiApi: { keys: [{ label: MARKUP, key: 'emulator-key' }] },
        mounts: PATHS.map((path) => ({ path, upstreams: ['gemini-web', 'gemini-api'] })),
        renewal: { startAfterMs: 3_600_000 },
      },
    })
    const map = HOSTS.map((host) => `MAP ${host} 127.0.0.1`).join(', ')
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', `--host-resolver-rules=${map}`],
    })
  })
  afterAll(async () => {
    await browser.close()
    await stack.close()
  })

  async function open(origin: string, width = 1_280): Promise<Page> {
    const page = await browser.newPage({ viewport: { width, height: 800 } })
    page.on('dialog', (dialog) => {
      complaints.push(`dialog ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => complaints.push(message.text()))
    page.on('request', (request) => {
      if (new URL(request.url()).pathname !== '/') complaints.push(`request ${request.url()}`)
    })
    await page.goto(`${origin}/`)
    return page
  }

  const cells = (page: Page) => page.locator('td:first-child').allInnerTexts()

  it('shows what the operator configured as text, and runs and loads nothing', async () => {
    const page = await open(stack.gateway.url)
    const shown = PATHS.map((path) => `${stack.gateway.url}${path === '/' ? '' : path}/v1`)
    expect(await cells(page)).toEqual(shown)
    expect(await page.locator('td:last-child').allInnerTexts()).toEqual(
      PATHS.map(() => 'Gemini web app, one account, then Gemini API, one key'),
    )
    expect(await page.locator('script, img, iframe, [onerror]').count()).toBe(0)
    expect(await page.locator('body').innerText()).not.toContain('onerror')
    // Its own style is let in.
    expect(await page.locator('.demo').evaluate((node) => getComputedStyle(node).borderTopWidth)).toBe('2px')
    expect(complaints).toEqual([])
    await page.close()
  })

  it.each([1_280, 360])('is no wider than a screen of %i pixels', async (width) => {
    const page = await open(stack.gateway.url, width)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
    await page.close()
  })

  it.each(HOSTS)('offers no command that a host called %s would run', async (host) => {
    const page = await open(`http://${host}:${stack.gateway.port}`)
    expect(new URL(page.url()).hostname).toBe(host)
    expect(await page.locator('pre').innerText()).toMatch(/^curl http:\/\/HOST:PORT\/v1\/chat\/completions/)
    expect((await cells(page))[0]).toBe('http://HOST:PORT/v1')
    expect(complaints).toEqual([])
    await page.close()
  })
})
