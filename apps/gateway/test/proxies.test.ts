import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startConnectProxy } from './connect-proxy.ts'
import { startStack, type Stack } from './stack.ts'
import { callJson } from './call-json.ts'

const ADA = { label: 'ada', SECURE_1PSID: 'g.a000castor-demo-ada', SECURE_1PSIDTS: 'sidts-castor-demo-ada' }

let stack: Stack
const answers: string[] = []
beforeEach(async () => {
  stack = await startStack({ guest: true })
})
afterEach(async () => {
  await stack.close()
  expect([...answers.splice(0), ...stack.logLines].join('\n')).not.toMatch(/hunter2/)
})

async function call(method: string, path: string, body: object) {
  const answer = await callJson(method, stack.gateway.url + path, { body })
  answers.push(answer.text)
  return answer
}

describe('the proxy of an account', () => {
  it.each([
    'http://me:hunter2@127.0.0.1:99999',
    'http://me:hunter2%ff@127.0.0.1:1',
    'http://me:hunter2@[::1',
    'http://me:hunter2@',
    'http://me:hunter2@127.0.0.1:1?x=1',
  ])('is refused by name and never quoted when it is none: %s', async (proxy) => {
    const wrong = {
      error: expect.objectContaining({ param: 'proxy', message: expect.stringMatching(/must look like/) }),
    }
    const added = await call('POST', '/api/accounts', { ...ADA, proxy })
    expect([added.status, added.json]).toEqual([400, wrong])
    await call('POST', '/api/accounts', ADA)
    const changed = await call('PUT', '/api/accounts/ada/proxy', { proxy })
    expect([changed.status, changed.json]).toEqual([400, wrong])
  })

  it.each([
    ['a number', { proxy: 8080 }, /`proxy` must look like http:\/\/host:port or socks5:/],
    ['nothing', {}, /`proxy` is missing: give a URL such as socks5:.*, or null for no proxy/],
  ])('is refused with what it must be: %s', async (_, body, message) => {
    await call('POST', '/api/accounts', ADA)
    expect(await call('PUT', '/api/accounts/ada/proxy', body)).toMatchObject({
      status: 400,
      json: { error: { param: 'proxy', message: expect.stringMatching(message) } },
    })
  })

  it('may have a password with a % in it', async () => {
    const proxy = await startConnectProxy()
    const { status } = await call('POST', '/api/accounts', {
      ...ADA,
      proxy: proxy.url.replace('//', '//me:100%hunter2@'),
    })
    expect([status, proxy.user]).toEqual([201, 'me:100%hunter2'])
    await proxy.close()
  })

  it('is taken in with cookies that are not, because the ticket was just renewed', async () => {
    await call('POST', '/api/accounts', ADA)
    expect((await call('POST', '/api/accounts/ada/renew', {})).json).toMatchObject({ outcome: 'renewed' })
    const others = { SECURE_1PSID: ADA.SECURE_1PSID, SECURE_1PSIDTS: 'sidts-another' }
    const refused = await call('POST', '/api/accounts', { ...others, proxy: 'http://me:hunter2@127.0.0.1:9' })
    expect([refused.status, refused.json]).toEqual([400, { error: expect.objectContaining({ param: 'proxy' }) }])
    const proxy = await startConnectProxy()
    const moved = await call('POST', '/api/accounts', { ...others, proxy: proxy.url })
    expect(moved.json).toMatchObject({
      outcome: 'kept',
      account: { id: 'ada', egress: proxy.url.replace('http://', 'proxy ') },
    })
    expect(proxy.tunnels).toBeGreaterThan(0)
    await proxy.close()
  })
})
