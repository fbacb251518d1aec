import { createMemoryStateStore, StateError } from '@castorjs/state-store'
import { describe, expect, it } from 'vitest'
import { claimState } from '../src/state/state-users.ts'

describe('claimState', () => {
  it('leaves no claim and no timer when the users cannot be read', async () => {
    const store = createMemoryStateStore()
    const away = new StateError('unavailable', 'Redis does not answer')
    const timers = countTimers()
    const claiming = claimState(
      {
        ...store,
        list() {
          throw away
        },
      },
      { key: 'new', mayStay: () => false, remedy: '' },
    )
    await expect(claiming).rejects.toBe(away)
    expect(await store.get('castor/rotation')).toBeUndefined()
    expect(countTimers()).toBe(timers)
    await store.close()
  })
})

/** Those that keep the process alive. */
function countTimers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
}
