import { describeStateStore } from '../test/store-behaviour.ts'
import { createMemoryStateStore, withEncryption } from './index.ts'

describeStateStore('a store in memory', async () => {
  let time = Date.now()
  return {
    store: createMemoryStateStore({ now: () => time }),
    pass: async (ms) => void (time += ms),
    close: async () => undefined,
  }
})

describeStateStore('an encrypted store', async () => {
  let time = Date.now()
  return {
    store: withEncryption(createMemoryStateStore({ now: () => time }), {
      keys: [{ id: 'a', key: new Uint8Array(32) }],
    }),
    pass: async (ms) => void (time += ms),
    close: async () => undefined,
  }
})
