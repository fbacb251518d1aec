import { ProtocolDriftError } from '@castorjs/gemini-web-protocol'
import { expect, it } from 'vitest'
import { createDriftLog } from './drift.ts'

const FACTS = { constant: 'CHAT_LIST_ROWS', path: [2], expected: 'a list', found: 'a string' }

it('counts a drift by its name and place, and makes it an error of this package', () => {
  const drifts = createDriftLog()
  const read = (): unknown =>
    drifts.read(() => {
      throw new ProtocolDriftError(FACTS)
    })
  expect(read).toThrow(expect.objectContaining({ code: 'drift', message: expect.stringContaining('CHAT_LIST_ROWS') }))
  expect(read).toThrow('CHAT_LIST_ROWS')
  expect(drifts.list()).toEqual([{ ...FACTS, count: 2 }])
})

it('lets other failures pass as they are', () => {
  const drifts = createDriftLog()
  const failure = new RangeError('mine')
  expect(() =>
    drifts.read(() => {
      throw failure
    }),
  ).toThrow(failure)
  expect(drifts.list()).toEqual([])
})
