import { describe, expect, it } from 'vitest'
import { readRetryHint } from './retry-hint.ts'

describe('readRetryHint', () => {
  it.each([
    [{}, undefined],
    [{ 'x-stainless-retry-count': '0' }, 'likely'],
    [{ 'x-stainless-retry-count': '2' }, 'declared'],
    [{ 'x-stainless-retry-count': '2', 'x-castor-replay': 'off' }, 'off'],
    [{ 'x-castor-replay': 'on' }, undefined],
  ])('reads %j as %s', (headers, hint) => {
    expect(readRetryHint(new Request('http://castor/', { headers }))).toBe(hint)
  })
})
