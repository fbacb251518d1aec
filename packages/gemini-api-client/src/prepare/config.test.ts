import { describe, expect, it } from 'vitest'
import { readModelRules, readThinkingSuffix } from '../model-rules.ts'
import { prepareThinking } from './config.ts'
import { readImageConfig } from './image-config.ts'

describe('prepareThinking', () => {
  it.each([
    ['gemini-2.5-pro', { thinkingBudget: 0 }, { thinkingBudget: 128 }],
    ['gemini-2.5-flash', { thinkingBudget: 0 }, { thinkingBudget: 0 }],
    ['gemini-2.5-flash', { thinkingBudget: 99_999 }, { thinkingBudget: 24_576 }],
    ['gemini-2.5-flash-lite', { thinkingBudget: 5 }, { thinkingBudget: 512 }],
    ['gemini-2.5-flash', { thinkingBudget: -1, includeThoughts: true }, { thinkingBudget: -1, includeThoughts: true }],
    ['gemini-2.5-flash', { thinkingLevel: 'low' }, { thinkingBudget: 1_024 }],
    ['gemini-2.5-flash', { thinkingBudget: 7, thinkingLevel: 'HIGH' }, { thinkingBudget: 7 }],
    ['gemini-3.8-flash', { thinkingLevel: 'MINIMAL' }, { thinkingLevel: 'LOW' }],
    ['gemini-3-flash-preview', { thinkingLevel: 'minimal' }, { thinkingLevel: 'MINIMAL' }],
    ['gemini-3-pro-preview', { thinkingLevel: 'MEDIUM' }, { thinkingLevel: 'HIGH' }],
    ['gemini-3.8-flash', { thinkingBudget: 5_000 }, { thinkingLevel: 'MEDIUM' }],
    ['gemini-3.8-flash', { thinkingBudget: -1 }, {}],
    ['gemini-3.8-flash', { thinkingBudget: 0, thinkingLevel: 'HIGH' }, { thinkingLevel: 'LOW' }],
    ['gemini-nano-banana-2.1', { thinkingLevel: 'LOW' }, undefined],
    ['gemini-2.5-flash-image', { thinkingBudget: 5 }, undefined],
    ['gemini-3.8-flash-tts', { thinkingLevel: 'LOW' }, undefined],
  ])('gives %s for %j what it takes', (model, given, expected) => {
    expect(prepareThinking(given, { model, rules: readModelRules(model), thinking: false })).toEqual(expected)
  })

  it('lets an explicit setting win over the suffix', () => {
    const rules = readModelRules('gemini-2.5-flash')
    expect(prepareThinking({ thinkingBudget: 9 }, { model: 'gemini-2.5-flash', rules, thinking: true })).toEqual({
      thinkingBudget: 9,
      includeThoughts: true,
    })
  })
})

it.each([
  ['gemini-2.5-pro-thinking', 'gemini-2.5-pro', true],
  ['models/gemini-2.5-pro', 'gemini-2.5-pro', false],
])('reads the name %s', (name, model, thinking) => {
  expect(readThinkingSuffix(name)).toEqual({ model, thinking })
})

it.each([
  [{ width: 1024, height: 1024 }, true, { aspectRatio: '1:1' }],
  [{ width: 1920, height: 1080 }, true, { aspectRatio: '16:9', imageSize: '2K' }],
  [{ width: 3000, height: 4096 }, true, { aspectRatio: '3:4', imageSize: '4K' }],
  [{ width: 1920, height: 1080 }, false, { aspectRatio: '16:9' }],
  [undefined, true, undefined],
])('finds the nearest picture to %j', (size, takesSize, expected) => {
  expect(readImageConfig(undefined, size, takesSize)).toEqual(expected)
})

it('knows unknown names as current models, and rows of the operator first', () => {
  expect(readModelRules('something-new')).toMatchObject({
    kind: 'text',
    sampling: false,
    signatures: true,
    levels: ['LOW', 'MEDIUM', 'HIGH'],
  })
  expect(readModelRules('something-new', [{ prefix: 'something', sampling: true }]).sampling).toBe(true)
})
