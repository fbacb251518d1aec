import { describe, expect, it } from 'vitest'
import { readJson } from '../index.ts'

const post = (body: BodyInit) =>
  new Request('http://castor.test/', { method: 'POST', body, duplex: 'half' } as RequestInit)

describe('readJson', () => {
  it('reads a body of known length and one that arrives in pieces', async () => {
    const bytes = new TextEncoder().encode('{"name":"Zoë"}')
    const pieces = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte))
        controller.close()
      },
    })
    expect(await readJson(post('{"name":"Zoë"}'), { maxBytes: 100 })).toEqual({ name: 'Zoë' })
    expect(await readJson(post(pieces), { maxBytes: 100 })).toEqual({ name: 'Zoë' })
  })

  it.each([
    ['text that is not JSON', '{"a":', 'invalid_request', /not valid JSON/],
    ['a list', '[]', 'invalid_request', /not an array/],
    ['an empty body', '', 'invalid_request', /empty/],
    ['a body over the limit', 'x'.repeat(101), 'too_large', /100 bytes/],
  ])('refuses %s', async (_, body, code, message) => {
    const reading = readJson(post(body), { maxBytes: 100 })
    await expect(reading).rejects.toMatchObject({ code })
    await expect(reading).rejects.toThrow(message)
  })

  it('stops reading a body of unknown length at the limit', async () => {
    let sent = 0
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 64
        controller.enqueue(new Uint8Array(64))
      },
    })
    await expect(readJson(post(endless), { maxBytes: 100 })).rejects.toMatchObject({ code: 'too_large' })
    expect(sent).toBeLessThan(1_000)
  })
})
