import { openFileStateStore } from '../../src/node.ts'
import { withEncryption } from '../../src/index.ts'

/**
 * Writes as fast as it can and says each number once it is acknowledged, until it is killed. Runs as a process of its
 * own: arguments are the folder and the number to begin with.
 */
const [, , directory = '', first = '1'] = process.argv
const plain = await openFileStateStore({ directory })
const store = withEncryption(plain, { keys: [{ id: 'k', key: new Uint8Array(32).fill(7) }] })
const filler = 'x'.repeat(2000)
for (let number = Number(first); ; number++) {
  // Several at once, so that a kill may fall into a batch.
  await Promise.all([
    store.set('newest', { number, filler }),
    store.set(`slot/${number % 50}`, { number, filler }),
    store.count('writes'),
  ])
  process.stdout.write(`${number}\n`)
}
