import { isStateError } from '../../src/index.ts'
import { openFileStateStore } from '../../src/node.ts'
import type { StateStore } from '../../src/index.ts'

/** What a starter is told to do, and what it says of it. */
export type Order = { open: string; at: number } | { write: string } | { close: true }
export interface Answer {
  outcome: 'ready' | 'open' | 'written' | 'closed' | 'refused'
  code?: string
  message?: string
}

/** Opens, writes and closes a folder as it is told, one order after the other. Runs as a process of its own. */
let store: StateStore | undefined

async function obey(order: Order): Promise<Answer['outcome']> {
  if ('open' in order) {
    // All at the same moment, which waiting for a message is not.
    while (Date.now() < order.at);
    store = await openFileStateStore({ directory: order.open })
    return 'open'
  }
  if ('write' in order) {
    await store?.set(order.write, process.pid)
    return 'written'
  }
  await store?.close()
  return 'closed'
}

const say = (answer: Answer): void => void process.send?.(answer)
process.on('message', (order: Order) => {
  obey(order).then(
    (outcome) => say({ outcome }),
    (error: unknown) =>
      say({
        outcome: 'refused',
        code: isStateError(error) ? error.code : 'none',
        message: error instanceof Error ? error.message : '',
      }),
  )
})
say({ outcome: 'ready' })
