import { expect, it } from 'vitest'
import { createIds } from './ids.ts'

it('makes the same identifiers in every run, with the shapes of the service', () => {
  const [one, two] = [createIds(1), createIds(1)]
  const made = [one.hex(16), one.uuid(), one.signed(), one.token(43)]
  expect([two.hex(16), two.uuid(), two.signed(), two.token(43)]).toEqual(made)
  expect(made).toEqual([
    expect.stringMatching(/^[0-9a-f]{16}$/),
    expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/),
    expect.stringMatching(/^-?\d{1,19}$/),
    expect.stringMatching(/^[\w-]{43}$/),
  ])
  one.reset()
  expect(one.hex(16)).toBe(made[0])
  expect(createIds(2).hex(16)).not.toBe(made[0])
})

it('does not repeat itself', () => {
  const ids = createIds()
  expect(new Set(Array.from({ length: 20_000 }, () => ids.hex(16))).size).toBe(20_000)
})
