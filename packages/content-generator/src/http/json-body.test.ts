import { describe, expect, it } from 'vitest'
import { jsonBody } from './json-body.ts'

describe('jsonBody', () => {
  it('is one text for ordinary values', () => {
    const value = { a: [1, null, 'b', undefined], c: undefined, at: new Date(0) }
    expect(jsonBody(value)).toBe('{"a":[1,null,"b",null],"at":"1970-01-01T00:00:00.000Z"}')
  })

  it('writes long texts in pieces, and nothing but the same JSON', async () => {
    const long = '\u{1f600}"\\\n'.repeat(200_000).slice(1)
    const value = { created: 1, data: [{ b64_json: 'A'.repeat(700_000) }, { b64_json: long }], size: '1x1' }
    const body = jsonBody(value)
    expect(body).toBeInstanceOf(ReadableStream)
    let pieces = 0
    let text = ''
    const decoder = new TextDecoder()
    for await (const piece of body as ReadableStream<Uint8Array>) {
      pieces++
      text += decoder.decode(piece, { stream: true })
    }
    expect(pieces).toBeGreaterThan(10)
    expect(JSON.parse(text)).toEqual(value)
  })
})
