import { Agent, fetch as undiciFetch } from 'undici'
import { expect, it } from 'vitest'
import { describeTransport } from '../test/transport-behaviour.ts'
import { createFetchTransport } from './index.ts'

describeTransport('createFetchTransport', () => {
  const dispatcher = new Agent()
  const fetchWithAgent = ((input: string, init: object) =>
    undiciFetch(input, { ...init, dispatcher })) as unknown as typeof fetch
  return Object.assign(createFetchTransport({ fetch: fetchWithAgent }), { close: () => dispatcher.destroy() })
})

it('calls the fetch it was given, without cookies and without following redirects', async () => {
  const seen: RequestInit[] = []
  const transport = createFetchTransport({
    fetch: async (_, init) => {
      seen.push(init ?? {})
      return new Response('hello', { headers: { 'content-type': 'text/plain' } })
    },
  })
  const response = await transport('https://example.test/', { headers: { cookie: 'a=1' } })
  expect(await response.text()).toBe('hello')
  expect(seen).toEqual([{ method: 'GET', redirect: 'manual', credentials: 'omit', headers: { cookie: 'a=1' } }])
})
