// Keeps a picture in a folder and serves it by a signed URL. Run: node examples/serve.mjs
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMediaHandler, createUrlSigner, startSweeper } from '@castorjs/media-store'
import { createFolderMediaStore } from '@castorjs/media-store/node'

const directory = await mkdtemp(join(tmpdir(), 'media-'))
const signer = createUrlSigner({ publicBaseUrl: 'https://gateway.example/media', key: randomBytes(32) })
const store = createFolderMediaStore({ directory, signer, maxTotalBytes: 1_000_000_000 })
const stop = startSweeper(store)

const dot = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const entry = await store.put(dot, { name: 'dot.png', ttlMs: 3_600_000 })
const url = await store.url(entry.id)
console.log(entry.mimeType, url)

const handle = createMediaHandler({ store, signer }) // Request -> Promise<Response>; mount it under /media/
const response = await handle(new Request(url, { headers: { range: 'bytes=0-7' } }))
console.log(response.status, response.headers.get('content-range'), (await response.arrayBuffer()).byteLength)
console.log((await handle(new Request(url.replace('expires=', 'expires=9')))).status, 'for a changed link')

stop()
await rm(directory, { recursive: true })
