import { describe, expect, it } from 'vitest'
import type { OfferedModel } from '../models.ts'
import { listModels, MODEL_TABLE, resolveModel } from './models.ts'

const OFFERED: OfferedModel[] = [
  { id: 'cf41b0e0dd7d53e5', mode: 'lite', displayName: '3.5 Flash-Lite' },
  { id: '56fdd199312815e2', mode: 'fast', displayName: '3.8 Flash' },
  { id: 'e6fa609c3fa255c0', mode: 'pro', displayName: '3.1 Pro' },
]
const GUEST = OFFERED.slice(0, 2)
const ACCOUNT = { table: MODEL_TABLE, guest: false }

describe('resolveModel', () => {
  it.each([
    ['gemini-2.5-flash', { wanted: 'fast' }],
    ['gemini-2.5-flash-free', { wanted: 'fast', guest: true }],
    ['gemini-2.5-pro', { wanted: 'pro' }],
    ['gemini-3-fast', { wanted: 'fast' }],
    ['gemini-3-thinking', { wanted: 'thinking' }],
    ['gemini-3.0-pro', { wanted: 'pro' }],
    ['gemini-3-flash-preview', { wanted: 'fast' }],
    ['gemini-3-fast-imagen', { wanted: 'fast', tool: 'image' }],
    ['gemini-2.5-pro-video', { wanted: 'pro', tool: 'video' }],
    ['gemini-2.5-flash-deepsearch', { wanted: 'fast', tool: 'research' }],
    ['gemini-3-pro-canvas', { wanted: 'pro', tool: 'canvas' }],
    ['gemini-3-pro-storybook', { wanted: 'pro', gemId: 'storybook' }],
    ['gemini-3-pro-thinking', { wanted: 'pro', extendedThinking: true }],
    ['gemini-3-pro-thinking-canvas', { wanted: 'pro', extendedThinking: true, tool: 'canvas' }],
    ['gemini-3-pro-image-preview-4k', { wanted: 'pro', tool: 'image', imagePixels: 4096 }],
    ['gemini-3.1-pro', { wanted: 'e6fa609c3fa255c0' }],
    ['gemini-3.5-flash-lite', { wanted: 'cf41b0e0dd7d53e5' }],
    ['Gemini-3.8-Flash-Imagen', { wanted: '56fdd199312815e2', tool: 'image' }],
    ['e6fa609c3fa255c0', { wanted: 'e6fa609c3fa255c0' }],
  ])('knows %s', (name, served) => {
    expect(resolveModel(name, OFFERED, ACCOUNT)).toEqual(served)
  })

  it('names the nearest models for a wrong name, and never takes another one', () => {
    expect(() => resolveModel('gemini-3-fsat', OFFERED, ACCOUNT)).toThrow(
      expect.objectContaining({
        code: 'model_not_found',
        field: 'model',
        suggestions: expect.arrayContaining(['gemini-3-fast']) as string[],
      }),
    )
    expect(() => resolveModel('gpt-4o', OFFERED, ACCOUNT)).toThrow(expect.objectContaining({ suggestions: [] }))
  })

  it.each([
    ['gemini-2.5-flash-thinking-thinking', 'gemini-2.5-flash-thinking'],
    ['gemini-3-thinking-thinking', 'gemini-3-thinking'],
    ['gemini-3-pro-thinking-canvas-thinking', 'gemini-3-pro-thinking'],
    ['gemini-2.5-flash-canvas-canvas-canvas', 'gemini-2.5-flash-canvas'],
    ['gemini-3-pro-canvas-imagen', 'gemini-3-pro-canvas'],
    ['gemini-2.5-flash-image-imagen', 'gemini-2.5-flash-image'],
    ['gemini-2.5-flash-constructor', 'gemini-2.5-flash'],
    ['gemini-2.5-flash-__proto__', 'gemini-2.5-flash'],
  ])('does not take %s for a name, and names %s', (name, near) => {
    expect(() => resolveModel(name, OFFERED, ACCOUNT)).toThrow(
      expect.objectContaining({
        code: 'model_not_found',
        suggestions: expect.arrayContaining([near]) as string[],
      }),
    )
  })

  it('does not promise a guest what needs an account', () => {
    for (const name of ['gemini-2.5-pro', 'gemini-3-thinking']) {
      expect(() => resolveModel(name, GUEST, { table: MODEL_TABLE, guest: true })).toThrow(
        expect.objectContaining({ code: 'model_not_found' }),
      )
    }
    const names = listModels(GUEST, { table: MODEL_TABLE, guest: true }).map((model) => model.name)
    expect(names).toEqual([
      'gemini-2.5-flash',
      'gemini-2.5-flash-free',
      'gemini-3-fast',
      'gemini-3-flash-preview',
      'gemini-3.5-flash-lite',
      'gemini-3.8-flash',
    ])
  })

  it('lists only names that it serves', () => {
    const names = listModels(OFFERED, ACCOUNT).map((model) => model.name)
    expect(new Set(names).size).toBe(names.length)
    expect(names).toContain('gemini-3-pro-deepsearch')
    expect(names).toContain('gemini-3.1-pro')
    for (const name of names) expect(() => resolveModel(name, OFFERED, ACCOUNT)).not.toThrow()
  })
})
