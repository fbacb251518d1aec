// Makes a key, checks it, limits it to some models, and shows what is kept of it. Run: node examples/keys.mjs
import { createCallerKeys, permit } from '@castorjs/caller-keys'
import { createMemoryStateStore } from '@castorjs/state-store'

const store = createMemoryStateStore()
const keys = createCallerKeys({ store })
const { key } = await keys.create({ name: 'Notebook', models: ['gemini-3-*'], limits: { perHour: 100 } })
console.log('shown once:', `${key.split('-').slice(0, 3).join('-')}-…`)

const caller = await keys.check(key)
console.log('this is', caller.name)
permit(caller, { upstream: 'gemini-web', model: 'gemini-3-pro' })
for (const attempt of [
  () => permit(caller, { model: 'gemini-2.5-flash' }),
  () => keys.check(`${key.slice(0, -1)}!`),
  async () => {
    await keys.update(caller.id, { enabled: false })
    await keys.check(key)
  },
]) {
  await Promise.resolve()
    .then(attempt)
    .catch(({ code, message }) => console.log(`${code}: ${message}`))
}

for await (const { value } of store.list('')) console.log('kept:', Object.keys(value).join(', '))
