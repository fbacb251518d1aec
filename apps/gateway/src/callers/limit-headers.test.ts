import { GenerationError } from '@castorjs/content-generator'
import { createRequestLimits, type CallerLimits } from '@castorjs/request-limits'
import { describe, expect, it } from 'vitest'
import { createLimitHeaders } from './limit-headers.ts'

function setUp(limitsOf: () => Promise<CallerLimits>) {
  return createLimitHeaders({ limits: createRequestLimits({ perHour: 50, modelSpacingMs: false }), limitsOf })
}

describe('createLimitHeaders', () => {
  it("tells a caller what is left of its own limit, and who was not let in the common limit's size only", async () => {
    const headersOf = setUp(async () => ({ perHour: 7 }))
    expect(await headersOf('phone')).toMatchObject({
      'x-ratelimit-limit-requests': '7',
      'x-ratelimit-remaining-requests': '7',
    })
    expect(await headersOf(undefined)).toEqual({ 'x-ratelimit-limit-requests': '50' })
  })

  it('takes a caller whose key is gone for one who was not let in', async () => {
    const headersOf = setUp(() => Promise.reject(new GenerationError('unauthenticated', 'Gone.')))
    expect(await headersOf('phone')).toEqual({ 'x-ratelimit-limit-requests': '50' })
  })

  it('says nothing while it cannot be known, and never rejects', async () => {
    const headersOf = setUp(() => Promise.reject(new GenerationError('upstream_unavailable', 'Away.')))
    expect(await headersOf('phone')).toEqual({})
  })
})
