import { expect, it } from 'vitest'
import { modelsDialect } from './models-dialect.ts'

it.each([
  ['', { 'x-goog-api-key': 'k' }, 'gemini'],
  ['', { 'x-goog-api-client': 'google-genai-sdk/3.1.0' }, 'gemini'],
  ['?key=k', {}, 'gemini'],
  ['?pageSize=5', {}, 'gemini'],
  ['?pageToken=x', { 'anthropic-version': '2023-06-01' }, 'gemini'],
  ['', { 'anthropic-version': '2023-06-01', authorization: 'Bearer k' }, 'anthropic'],
  ['', { 'x-api-key': 'k' }, 'anthropic'],
  ['', { 'x-api-key': 'k', authorization: 'Bearer k' }, 'openai'],
  ['', { authorization: 'Bearer k' }, 'openai'],
  ['?limit=20', {}, 'openai'],
] as const)('answers /v1/models%s with %j as %s', (query, headers, dialect) => {
  expect(modelsDialect(new Request(`http://castor.test/v1/models${query}`, { headers }))).toBe(dialect)
})
