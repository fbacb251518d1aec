import { createGeminiApiEmulator } from '@castorjs/gemini-api-emulator'
import { createFetchTransport } from '@castorjs/http-transport'
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTokenFile, signInWithBrowser, type BrowserSignInOptions } from '../src/node.ts'

describe('signInWithBrowser', () => {
  const emulator = createGeminiApiEmulator({ clients: { client: 'secret' } })
  const transport = createFetchTransport({ fetch: emulator.fetch })

  function signIn(open: (url: string) => void | Promise<void>, rest: Partial<BrowserSignInOptions> = {}) {
    const { signal } = new AbortController()
    return signInWithBrowser({ clientId: 'client', clientSecret: 'secret', transport, open, signal, ...rest })
  }

  /** A user who says yes at once: follows Google's redirect back to this machine. */
  async function consent(url: string): Promise<void> {
    const back = (await emulator.fetch(url)).headers.get('location') ?? ''
    const page = await fetch(back)
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('You are signed in.')])
  }

  it('takes the code that the browser brings back to the loopback address', async () => {
    let redirect = ''
    const credentials = await signIn(async (url) => {
      redirect = new URL(url).searchParams.get('redirect_uri') ?? ''
      await consent(url)
    })
    expect(redirect).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/oauth2callback$/)
    expect(Object.keys(credentials).sort()).toEqual(['accessToken', 'expiresAt', 'refreshToken'])
    await expect(fetch(redirect)).rejects.toThrow('fetch failed')
  })

  it('listens to nobody who does not know the state', async () => {
    await signIn(async (url) => {
      const redirect = new URL(url).searchParams.get('redirect_uri') ?? ''
      expect((await fetch(`${redirect}?code=stolen&state=guess`)).status).toBe(400)
      expect((await fetch(redirect.replace('oauth2callback', 'x'))).status).toBe(404)
      await consent(url)
    })
  })

  it('ends when the user says no', async () => {
    const refused = signIn(async (url) => {
      const query = new URL(url).searchParams
      const page = await fetch(`${query.get('redirect_uri')}?error=access_denied&state=${query.get('state')}`)
      expect(page.status).toBe(400)
    })
    await expect(refused).rejects.toMatchObject({
      code: 'upstream_auth',
      message: 'Google did not grant the sign-in (access_denied).',
    })
  })

  it('ends when nobody answers, and when it is cancelled', async () => {
    await expect(signIn(() => undefined, { timeoutMs: 10 })).rejects.toMatchObject({ code: 'upstream_timeout' })
    const abort = new AbortController()
    await expect(signIn(() => abort.abort(), { signal: abort.signal })).rejects.toMatchObject({ code: 'aborted' })
  })
})

describe('createTokenFile', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'castor-tokens-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('writes what Gemini CLI reads, for the owner alone, and keeps unknown fields', async () => {
    const path = join(folder, 'new', 'oauth_creds.json')
    const file = createTokenFile(path)
    await file.save({ accessToken: 'a', refreshToken: 'r', expiresAt: 5 })
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    await writeFile(path, JSON.stringify({ refresh_token: 'r', id_token: 'i' }))
    await file.save({ accessToken: 'b', expiresAt: 6 })
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
      refresh_token: 'r',
      id_token: 'i',
      access_token: 'b',
      token_type: 'Bearer',
      expiry_date: 6,
    })
    expect(await file.load()).toEqual({ accessToken: 'b', refreshToken: 'r', expiresAt: 6 })
    expect(await readdir(join(folder, 'new'))).toEqual(['oauth_creds.json'])
  })

  it('never quotes a broken file', async () => {
    const path = join(folder, 'broken.json')
    await writeFile(path, '{"refresh_token": "1//secret"')
    await expect(createTokenFile(path).load()).rejects.toThrow(/^The credential file .*broken\.json is not JSON$/)
  })
})
