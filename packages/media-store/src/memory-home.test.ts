import { createMediaStore } from './index.ts'
import { createMemoryHome } from './memory-home.ts'
import { describeEviction, describeMediaStore } from '../test/store-behaviour.ts'
import type { StoreSetup } from '../test/store-behaviour.ts'

async function setUp(): Promise<StoreSetup> {
  const home = createMemoryHome()
  return { create: (options) => createMediaStore(home, options), close: async () => undefined }
}

describeMediaStore('a store in memory', setUp)
describeEviction('a store in memory', setUp)
