import { GenerationError, type ErrorCode } from '@castorjs/content-generator'
import { expect, it } from 'vitest'
import { listedModels } from '../upstreams/listed-models.ts'
import { createModelNames } from './model-names.ts'

type Facts = Parameters<ReturnType<typeof createModelNames>>[0]

function outcome(model: string | undefined, more: Partial<Facts> = {}): Facts {
  return { model, served: undefined, error: undefined, usage: undefined, firstChunkMs: undefined, ...more }
}
const answered = (model: string) => outcome(model, { firstChunkMs: 5 })
const failed = (model: string, code: ErrorCode, served?: Facts['served']) =>
  outcome(model, { error: new GenerationError(code, 'No.'), served })
const leased = { upstream: 'gemini-api', account: 'a' }

it('gives a name its place once an upstream has shown that it is a model', () => {
  const nameOf = createModelNames([])
  expect(nameOf(outcome(undefined))).toBe('-')
  expect(nameOf(failed('flash', 'rate_limited'))).toBe('(other)')
  expect(nameOf(answered('flash'))).toBe('flash')
  expect(nameOf(failed('flash', 'rate_limited'))).toBe('flash')
  expect(nameOf(failed('pro', 'quota_exhausted', { ...leased, model: 'pro' }))).toBe('pro')
})

it.each<[ErrorCode, Facts['served']]>([
  // An upstream that was asked and did not know it; one that could not be reached; an account that was leased only.
  ['model_not_found', { ...leased, model: 'made-up' }],
  ['upstream_unavailable', { ...leased, model: 'made-up' }],
  ['invalid_request', leased],
  ['quota_exhausted', leased],
])('gives none to a name that failed as %s', (code, served) => {
  expect(createModelNames([])(failed('made-up', code, served))).toBe('(other)')
})

it('gives none to a count of tokens, which looks at no name', () => {
  expect(createModelNames([])(outcome('made-up', { served: leased }))).toBe('(other)')
})

it('books every failure of a listed model under its name', () => {
  const nameOf = createModelNames(listedModels(), 0)
  for (const model of ['gemini-3-pro', 'gemini-2.5-flash-canvas', 'gemini-3-flash-thinking']) {
    expect(nameOf(failed(model, 'upstream_auth'))).toBe(model)
  }
  expect(nameOf(failed('gemini-3-pro-canvas-canvas', 'model_not_found'))).toBe('(other)')
})

it('takes every spelling of a name for one', () => {
  const nameOf = createModelNames([], 1)
  const spelt = ['Gemini-3-Pro', 'gemini-3-pro', 'models/gemini-3-pro', 'GEMINI-3-PRO']
  expect(new Set(spelt.map((model) => nameOf(answered(model))))).toEqual(new Set(['gemini-3-pro']))
})

it('keeps room for real names, however many are made up', () => {
  const nameOf = createModelNames(['listed'], 2)
  for (let index = 0; index < 100; index++) nameOf(failed(`made-up-${index}`, 'model_not_found'))
  expect(['a', 'b', 'c', 'a', 'listed'].map((model) => nameOf(answered(model)))).toEqual([
    'a',
    'b',
    '(other)',
    'a',
    'listed',
  ])
})
