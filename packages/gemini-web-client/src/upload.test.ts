import { afterEach, describe, expect, it } from 'vitest'
import { emulated, type Emulated } from '../test/emulated.ts'
import { scriptedApp, type Scripted } from '../test/scripted-app.ts'
import { createGeminiWebClient } from './client.ts'

const TEXT = new TextEncoder().encode('The secret word is heliotrope.')
const PNG_START = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52])
let world: Emulated | undefined

function create(): Emulated {
  world = emulated()
  return world
}

afterEach(async () => {
  await world?.close()
  world = undefined
})

async function* piecesOf(size: number, count: number, first = PNG_START): AsyncGenerator<Uint8Array> {
  yield first
  for (let index = 0; index < count; index++) {
    await new Promise((resolve) => setImmediate(resolve))
    yield new Uint8Array(size)
  }
}

describe('upload', () => {
  it('uploads text that the model then reads, and the same bytes only once', async () => {
    const { client, count } = create()
    const file = await client.upload(TEXT, { name: 'note.md' })
    expect(file).toMatchObject({ name: 'note.md', mimeType: 'text/markdown' })
    expect(file.reference).toMatch(/^\/contrib_service\/ttl_1d\//)
    expect(await client.upload(TEXT, { name: 'note.md' })).toEqual(file)
    expect(count('/upload/')).toBe(2)
    expect((await client.generate('Quote the file', { files: [file] })).text).toContain('heliotrope')
  })

  it('falls back to the multipart way', async () => {
    const { client, emulator, count } = create()
    emulator.controls.fail({ kind: 'http', status: 500, on: 'upload' })
    expect((await client.upload(TEXT, { name: 'note.txt' })).reference).toMatch(/^\/contrib_service/)
    expect(count('/upload')).toBe(1)
  })

  it('tells the type from the bytes, whatever the name and the label say', async () => {
    const { client } = create()
    const file = await client.upload(PNG_START, { name: 'photo.jpg', mimeType: 'image/jpeg' })
    expect(file.mimeType).toBe('image/png')
  })

  it.each([
    ['bytes of no known kind', Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 7])],
    ['an empty file', new Uint8Array()],
    ['text in another encoding', Uint8Array.from([0xff, 0xe9, 0x20, 0x61])],
  ])('refuses %s', async (_, bytes) => {
    const { client } = create()
    await expect(client.upload(bytes, { name: 'x.pdf', mimeType: 'application/pdf' })).rejects.toMatchObject({
      code: 'unsupported_file',
      fault: 'caller',
      field: 'file',
    })
  })

  it('sends a stream of 90 MB as it comes', async () => {
    let sent = 0
    let largest = 0
    const app = scriptedApp({
      other({ url }): Scripted {
        if (url.searchParams.has('upload_id')) {
          return { body: '/contrib_service/ttl_1d/x', headers: { 'content-type': 'text/plain' } }
        }
        return { headers: { 'x-goog-upload-url': 'https://push.clients6.google.com/upload/?upload_id=1' } }
      },
    })
    const client = createGeminiWebClient({
      cookies: '__Secure-1PSID=g.a; __Secure-1PSIDTS=sidts-a',
      async transport(url, request) {
        if (!url.includes('upload_id') || request?.body === undefined || typeof request.body === 'string') {
          return app.transport(url, request)
        }
        for await (const chunk of request.body as AsyncIterable<Uint8Array>) {
          sent += chunk.length
          largest = Math.max(largest, chunk.length)
        }
        return app.transport(url, { ...request, body: '' })
      },
    })
    const size = 1_048_576
    const sizeBytes = PNG_START.length + 90 * size
    await client.upload(piecesOf(size, 90), { name: 'big.png', sizeBytes })
    expect(sent).toBe(sizeBytes)
    expect(largest).toBeLessThan(2 * size)
    await expect(client.upload(piecesOf(size, 3), { name: 'big.png', sizeBytes: 9 * size })).rejects.toMatchObject({
      code: 'invalid_argument',
      field: 'sizeBytes',
    })
    await expect(client.upload(piecesOf(size, 30), { name: 'big.png' })).rejects.toMatchObject({
      code: 'file_too_large',
    })
    await expect(client.upload(piecesOf(size, 3), { name: 'big.png', sizeBytes: 200 * size })).rejects.toMatchObject({
      code: 'file_too_large',
    })
    await client.close()
  })

  it('takes a Blob', async () => {
    const { client } = create()
    expect(await client.upload(new Blob([TEXT]), { name: 'note.txt' })).toMatchObject({ mimeType: 'text/plain' })
  })
})
