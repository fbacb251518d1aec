import { describePoolState } from '../test/describe-pool-state.ts'
import { createMemoryPoolState } from './memory-state.ts'

describePoolState('memory', async (start) => {
  let now = start
  return { state: createMemoryPoolState({ now: () => now }), advance: (ms) => void (now += ms) }
})
