import { GenerationError } from '@castorjs/content-generator'
import { expect, it } from 'vitest'
import { createModelNames } from './model-names.ts'

const served = { upstream: 'gemini-api', account: 'a' }
const error = undefined

it('gives a name its place once an upstream has taken it for a model', () => {
  const nameOf = createModelNames()
  const limited = new GenerationError('rate_limited', 'Too fast.')
  expect(nameOf({ model: undefined, served: undefined, error })).toBe('-')
  expect(nameOf({ model: 'flash', served: undefined, error: limited })).toBe('(other)')
  expect(nameOf({ model: 'flash', served, error: limited })).toBe('flash')
  expect(nameOf({ model: 'flash', served: undefined, error: limited })).toBe('flash')
  // An upstream that was asked and did not know it.
  expect(nameOf({ model: 'made-up', served, error: new GenerationError('model_not_found', 'None.') })).toBe('(other)')
})

it('takes every spelling of a name for one', () => {
  const nameOf = createModelNames(1)
  const spelt = ['Gemini-3-Pro', 'gemini-3-pro', 'models/gemini-3-pro', 'GEMINI-3-PRO']
  expect(new Set(spelt.map((model) => nameOf({ model, served, error })))).toEqual(new Set(['gemini-3-pro']))
})

it('keeps room for real names, however many are made up', () => {
  const nameOf = createModelNames(2)
  for (let index = 0; index < 100; index++) nameOf({ model: `made-up-${index}`, served: undefined, error })
  expect(['a', 'b', 'c', 'a'].map((model) => nameOf({ model, served, error }))).toEqual(['a', 'b', '(other)', 'a'])
})
