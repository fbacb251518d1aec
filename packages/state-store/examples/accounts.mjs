// Sealed records, a counter with a limit and a lock. Run: node examples/accounts.mjs (REDIS_URL=redis://… for Redis)
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { updateRecord, withEncryption, withLock } from '@castorjs/state-store'
import { openFileStateStore, openKeyFile } from '@castorjs/state-store/node'
import { openRedisStateStore } from '@castorjs/state-store/redis'

const directory = await mkdtemp(join(tmpdir(), 'state-'))
const plain =
  process.env.REDIS_URL === undefined
    ? await openFileStateStore({ directory: join(directory, 'state') })
    : await openRedisStateStore({ url: process.env.REDIS_URL })
const store = withEncryption(plain, { keys: await openKeyFile(join(directory, 'keys')) })
await store.checkKeys() // throws wrong_key rather than mixing keys

await store.set('account/1', { cookies: 'SID=secret' })
await updateRecord(store, 'account/1', (account) => ({ ...account, renewedAt: Date.now() }))
for await (const { key, value } of store.list('account/')) console.log(key, Object.keys(value))
console.log('in the store:', Object.keys((await plain.get('account/1')).value))

for (let request = 1; request <= 3; request++) {
  console.log(request, await store.count('hour/key-7', { ttlMs: 3_600_000, max: 2 }))
}

const done = await withLock(store, 'renew/1', async (lease) => `renewed under token ${lease.token}`)
console.log(done.value)
console.log(store.status())
await store.close()
await rm(directory, { recursive: true })
