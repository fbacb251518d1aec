import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  get,
  ProtocolDriftError,
  read,
  readNumber,
  readString,
  requireList,
  requireString,
  wirePath,
  writeSlots,
} from './path.ts'

describe('get', () => {
  it.each([
    ['a position', [null, 'a'], 1, 'a'],
    ['a key behind the positions', [null, 'a', { 26: 'ctx' }], 25, 'ctx'],
    ['an object that is the only element', [{ 8: 'x' }], 7, 'x'],
    ['a position in front of the object', [null, 'a', { 26: 'ctx' }], 1, 'a'],
    ['nothing behind the end', [null, 'a'], 9, undefined],
    ['nothing under a missing key', [null, { 26: 'ctx' }], 30, undefined],
    ['nothing in something that is no message', 'text', 0, undefined],
  ])('reads %s', (_, node, index, value) => {
    expect(get(node, index)).toBe(value)
  })

  it('does not take a null at the end for a tail', () => {
    expect(get([1, null], 1)).toBeNull()
  })

  it('reads the same from both layouts', () => {
    const fields = fc.dictionary(
      fc.nat(120).map(String),
      fc.oneof(fc.string(), fc.integer(), fc.constant([null, 'x'])),
      { maxKeys: 12 },
    )
    fc.assert(
      fc.property(fields, fc.nat(40), (slots, sparseFrom) => {
        const dense = writeSlots(slots)
        const sparse = writeSlots(slots, { layout: 'sparse' })
        const chosen = writeSlots(slots, { layout: 'sparse', sparseFrom })
        for (let index = 0; index <= 121; index++) {
          const value = slots[index] ?? null
          for (const message of [dense, sparse, chosen]) expect(get(message, index) ?? null).toEqual(value)
        }
      }),
    )
  })
})

describe('writeSlots', () => {
  it('switches to the object where the recordings do', () => {
    expect(writeSlots({ 7: 'x' }, { layout: 'sparse' })).toEqual([{ 8: 'x' }])
    expect(writeSlots({ 6: [0], 7: [], 55: 'plan' }, { layout: 'sparse' })).toEqual([
      null,
      null,
      null,
      null,
      null,
      null,
      [0],
      [],
      { 56: 'plan' },
    ])
    expect(writeSlots({ 1: 'ids', 10: 't' }, { layout: 'sparse', sparseFrom: 2 })).toEqual([null, 'ids', { 11: 't' }])
  })

  it('pads the dense form and leaves undefined out', () => {
    expect(writeSlots({ 0: 'a', 3: undefined }, { length: 3 })).toEqual(['a', null, null])
  })
})

describe('reading values', () => {
  const path = wirePath('CHAT_TITLE', 2, 1)

  it('gives undefined for another type', () => {
    expect(readString([0, 0, [0, 5]], path)).toBeUndefined()
    expect(readNumber([0, 0, [0, 5]], [2, 1])).toBe(5)
    expect(read([0, 0, null], path)).toBeUndefined()
  })

  it('reports drift with the name, the path and the type found, and never the content', () => {
    const error = (() => {
      try {
        requireString([0, 0, [0, ['secret']]], path)
      } catch (caught) {
        return caught
      }
    })() as ProtocolDriftError
    expect(error).toBeInstanceOf(ProtocolDriftError)
    expect(error).toMatchObject({
      code: 'drift',
      constant: 'CHAT_TITLE',
      path: [2, 1],
      expected: 'string',
      found: 'array',
    })
    expect(error.message).toBe('CHAT_TITLE [2][1]: expected string, found array')
    expect(() => requireList([], path)).toThrow('found undefined')
  })
})
