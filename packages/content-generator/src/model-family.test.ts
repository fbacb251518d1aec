import { describe, expect, it } from 'vitest'
import { EFFORTS, ignoresSampling, readModelFamily, refusesPrefill, thinkingForEffort } from './model-family.ts'

describe('readModelFamily', () => {
  it.each([
    ['gemini-2.5-flash', { generation: 2.5, tier: 'flash', media: false }],
    ['models/gemini-2.5-flash-lite', { generation: 2.5, tier: 'flash-lite', media: false }],
    ['gemini-3-pro-image-preview', { generation: 3, tier: 'pro', media: true }],
    ['gemini-3.1-pro-preview', { generation: 3.1, tier: 'pro', media: false }],
    ['gemini-4-argon', { generation: 4, tier: 'other', media: false }],
    ['gemini-nano-banana-2.1', { generation: 2.1, tier: 'other', media: true }],
    ['gpt-5', undefined],
  ])('reads %s', (model, family) => {
    expect(readModelFamily(model)).toEqual(family)
  })
})

describe('thinkingForEffort', () => {
  it.each([
    ['gemini-2.5-flash', [0, 512, 1024, 8192, 24_576, 24_576, 24_576]],
    ['gemini-2.5-pro', [128, 512, 1024, 8192, 24_576, 32_768, 32_768]],
  ])('gives %s a budget', (model, budgets) => {
    expect(EFFORTS.map((effort) => thinkingForEffort(model, effort)?.thinkingBudget)).toEqual(budgets)
  })

  it.each([
    ['gemini-3-flash-preview', ['MINIMAL', 'MINIMAL', 'LOW', 'MEDIUM', 'HIGH', 'HIGH', 'HIGH']],
    ['gemini-3.8-flash', ['LOW', 'LOW', 'LOW', 'MEDIUM', 'HIGH', 'HIGH', 'HIGH']],
    ['gemini-3.1-pro-preview', ['LOW', 'LOW', 'LOW', 'MEDIUM', 'HIGH', 'HIGH', 'HIGH']],
    ['gemini-3-pro', ['LOW', 'LOW', 'LOW', 'HIGH', 'HIGH', 'HIGH', 'HIGH']],
    ['a-name-of-our-own', ['LOW', 'LOW', 'LOW', 'MEDIUM', 'HIGH', 'HIGH', 'HIGH']],
  ])('gives %s a level it has', (model, levels) => {
    expect(EFFORTS.map((effort) => thinkingForEffort(model, effort)?.thinkingLevel)).toEqual(levels)
  })

  it('gives pictures, speech and models before 2.5 nothing', () => {
    for (const model of ['gemini-2.5-flash-image', 'gemini-2.5-flash-preview-tts', 'gemini-2.0-flash']) {
      expect(thinkingForEffort(model, 'high')).toBeUndefined()
    }
  })
})

it('knows who ignores sampling and who refuses a last model turn', () => {
  expect(['gemini-2.5-pro', 'gemini-3-flash-preview', 'gemini-4-argon'].map(ignoresSampling)).toEqual([
    false,
    true,
    true,
  ])
  expect(
    ['gemini-2.5-pro', 'gemini-3.5-flash', 'gemini-3.5-flash-lite', 'gemini-3.6-flash', 'gemini-4-argon'].map(
      refusesPrefill,
    ),
  ).toEqual([false, false, true, true, true])
})
