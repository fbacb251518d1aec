import { describe, expect, it } from 'vitest'
import { isGeminiNative, readRoute } from './route.ts'

describe('readRoute', () => {
  it.each([
    ['/v1beta/models', 'v1beta', 'models', '', ''],
    ['/v1/models/gemini-x', 'v1', 'models', 'gemini-x', ''],
    ['/gemini/v1beta/models/gemini-x:generateContent', 'v1beta', 'models', 'gemini-x', 'generateContent'],
    ['/v1alpha/models/models%2Fgemini-x:countTokens', 'v1alpha', 'models', 'gemini-x', 'countTokens'],
    ['/v1beta/models/models/gemini-x:countTokens', 'v1beta', 'models', 'gemini-x', 'countTokens'],
    ['/upload/v1beta/files', 'v1beta', 'upload', '', ''],
    ['/v1beta/models/a:b:generateContent', 'v1beta', 'models', 'a:b', 'generateContent'],
  ])('reads %s', (path, version, collection, name, method) => {
    expect(readRoute(path)).toEqual({ version, collection, name, method })
  })

  it.each(['/', '/v1', '/health', '/v2/models'])('knows that %s is not Google’s', (path) => {
    expect(readRoute(path)).toBeUndefined()
  })
})

describe('isGeminiNative', () => {
  it.each([
    ['/v1beta/models', {}, true],
    ['/v1/models/x:generateContent', {}, true],
    ['/v1/models', { 'x-goog-api-key': 'k' }, true],
    ['/v1/models', { authorization: 'Bearer k' }, false],
    ['/v1/chat/completions', { 'x-goog-api-key': 'k' }, false],
    ['/v1/files', {}, false],
    ['/v1beta/files', {}, true],
  ] as const)('%s with %j: %s', (path, headers, native) => {
    expect(isGeminiNative(new Request(`http://castor.test${path}`, { headers }))).toBe(native)
  })
})
