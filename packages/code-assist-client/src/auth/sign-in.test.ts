import { createGeminiApiEmulator, faults } from '@castorjs/gemini-api-emulator'
import { createFetchTransport } from '@castorjs/http-transport'
import { describe, expect, it } from 'vitest'
import { beginSignIn } from './sign-in.ts'

const CLIENT = { clientId: 'client', clientSecret: 'secret' }
const { signal } = new AbortController()

describe('a sign-in by pasted code', () => {
  const emulator = createGeminiApiEmulator({ clients: { client: 'secret' } })
  const transport = createFetchTransport({ fetch: emulator.fetch })

  async function begin(client = CLIENT) {
    const signIn = await beginSignIn({ ...client, transport, now: () => 1_000 })
    const page = await (await emulator.fetch(signIn.url)).text()
    return { signIn, code: page.replace('Your code: ', '') }
  }

  it('ends with tokens', async () => {
    const { signIn, code } = await begin()
    expect(new URL(signIn.url).searchParams.get('redirect_uri')).toBe('https://codeassist.google.com/authcode')
    expect(await signIn.finish(` ${code}\n`, signal)).toEqual({
      accessToken: expect.stringMatching(/^ya29\./) as string,
      refreshToken: expect.stringMatching(/^1\/\//) as string,
      expiresAt: 3_600_000,
    })
  })

  it('takes a whole redirect URL', async () => {
    const { signIn, code } = await begin()
    const url = `https://codeassist.google.com/authcode?code=${encodeURIComponent(code)}&state=${signIn.state}`
    expect(await signIn.finish(url, signal)).toHaveProperty('accessToken')
  })

  it('is no use to another sign-in: the code belongs to its verifier', async () => {
    const { code } = await begin()
    const other = await beginSignIn({ ...CLIENT, transport })
    await expect(other.finish(code, signal)).rejects.toMatchObject({
      code: 'upstream_auth',
      upstreamCode: 'invalid_grant',
    })
  })

  it('fails with a wrong secret, a wrong code, and while Google has trouble', async () => {
    const wrong = await begin({ clientId: 'client', clientSecret: 'wrong' })
    await expect(wrong.signIn.finish(wrong.code, signal)).rejects.toMatchObject({ upstreamCode: 'invalid_client' })
    await expect((await begin()).signIn.finish('4/nothing', signal)).rejects.toMatchObject({
      upstreamCode: 'invalid_grant',
    })
    emulator.controls.fail({ kind: 'html', code: 503 }, { at: 'token' })
    await expect((await begin()).signIn.finish('x', signal)).rejects.toMatchObject({ code: 'upstream_unavailable' })
    emulator.controls.fail(faults.invalidClient(), { at: 'token' })
    await expect((await begin()).signIn.finish('x', signal)).rejects.toMatchObject({ upstreamCode: 'invalid_client' })
  })

  it('needs a client of the operator’s own', async () => {
    await expect(beginSignIn({ clientId: '', clientSecret: '' })).rejects.toThrow('none is shipped')
  })
})
