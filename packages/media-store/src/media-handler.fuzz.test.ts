import fc from 'fast-check'
import { expect, it } from 'vitest'
import { png } from '../test/pictures.ts'
import { createMediaHandler, createMemoryMediaStore, createUrlSigner } from './index.ts'

it('serves nothing but the item, whatever the path, the query and the headers are', async () => {
  const signer = createUrlSigner({ publicBaseUrl: 'https://gw.test/media', key: 'k'.repeat(32) })
  const store = createMemoryMediaStore({ signer })
  const handle = createMediaHandler({ store, signer })
  const { id } = await store.put(png(100))
  const signed = new URL(await store.url(id))
  const paths = fc.oneof(
    fc.webPath(),
    fc.constant(signed.pathname),
    fc.string().map((text) => `/media/${encodeURIComponent(text)}`),
  )
  const queries = fc.oneof(
    fc.constant(signed.search),
    fc.webQueryParameters().map((text) => `?${text}`),
  )
  const headers = fc.dictionary(
    fc.constantFrom('range', 'if-range', 'if-none-match'),
    fc.stringMatching(/^[ -~]{0,30}$/),
  )
  await fc.assert(
    fc.asyncProperty(paths, queries, headers, async (path, query, fields) => {
      const url = new URL(`https://gw.test${path}${query}`)
      const response = await handle(new Request(url, { headers: fields }))
      const body = new Uint8Array(await response.arrayBuffer())
      expect([200, 206, 304, 403, 410, 416]).toContain(response.status)
      expect(response.headers.get('x-content-type-options')).toBe('nosniff')
      if (response.status <= 206) {
        expect(url.pathname.endsWith(`/${id}`)).toBe(true)
        expect(String(body.byteLength)).toBe(response.headers.get('content-length'))
      }
    }),
    { numRuns: 500 },
  )
})
