import { describe, expect, it } from 'vitest'
import { mapValues, openOnPull } from './index.ts'

/** Counts up to `end`, and remembers that it was left. */
function createCounter(end: number) {
  const seen = { opened: 0, left: false }
  async function* count() {
    seen.opened++
    try {
      for (let value = 1; value <= end; value++) yield await Promise.resolve(value)
    } finally {
      seen.left = true
    }
  }
  return { seen, count }
}

async function gather<Value>(source: AsyncIterable<Value>): Promise<Value[]> {
  const values: Value[] = []
  for await (const value of source) values.push(value)
  return values
}

describe('openOnPull', () => {
  it('opens once, with the first pull', async () => {
    const { seen, count } = createCounter(3)
    const stream = openOnPull(async () => count())
    expect(seen.opened).toBe(0)
    expect(await gather(stream)).toEqual([1, 2, 3])
    expect(seen).toEqual({ opened: 1, left: true })
  })

  it('throws what opening it throws', async () => {
    const stream = openOnPull(() => Promise.reject(new Error('shut')))
    await expect(gather(stream)).rejects.toThrow('shut')
  })

  it('opens nothing for who leaves before the first pull', async () => {
    const { seen, count } = createCounter(3)
    const iterator = openOnPull(async () => count())[Symbol.asyncIterator]()
    await iterator.return?.()
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
    expect(seen.opened).toBe(0)
  })

  it('leaves what was opened', async () => {
    const { seen, count } = createCounter(3)
    for await (const value of openOnPull(async () => count())) if (value === 2) break
    expect(seen.left).toBe(true)
  })
})

describe('mapValues', () => {
  it('maps each value, also by a promise', async () => {
    const { count } = createCounter(3)
    expect(await gather(mapValues(count(), (value) => value * 2))).toEqual([2, 4, 6])
    expect(await gather(mapValues(count(), async (value) => `${value}`))).toEqual(['1', '2', '3'])
  })

  it.each([
    ['throws', () => new Error('no')],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('leaves the source when the map %s, and ends', async (_, fail) => {
    const { seen, count } = createCounter(3)
    const iterator = mapValues(count(), (value) => {
      if (value < 2) return value
      const failure = fail()
      if (failure instanceof Error) throw failure
      return failure
    })[Symbol.asyncIterator]()
    expect(await iterator.next()).toEqual({ done: false, value: 1 })
    await expect(iterator.next()).rejects.toThrow('no')
    expect(seen.left).toBe(true)
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })

  it('leaves the source with the loop', async () => {
    const { seen, count } = createCounter(3)
    for await (const value of mapValues(count(), (value) => value)) if (value === 1) break
    expect(seen.left).toBe(true)
  })
})
