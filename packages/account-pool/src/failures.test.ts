import { ERRORS, GenerationError, type ErrorCode } from '@castorjs/content-generator'
import { describe, expect, it } from 'vitest'
import { FAILURES, judge } from './failures.ts'

describe('judge', () => {
  it.each([
    ['invalid_request', 'nothing', 'no'],
    ['unauthenticated', 'nothing', 'no'],
    ['forbidden', 'nothing', 'no'],
    ['model_not_found', 'nothing', 'no'],
    ['unsupported', 'nothing', 'no'],
    ['too_large', 'nothing', 'no'],
    ['blocked', 'nothing', 'no'],
    ['rate_limited', 'account', 'yes'],
    ['quota_exhausted', 'model', 'yes'],
    ['upstream_auth', 'account', 'yes'],
    ['upstream_refused', 'egress', 'yes'],
    ['upstream_unavailable', 'account', 'once'],
    ['upstream_timeout', 'account', 'no'],
    ['protocol_drift', 'nothing', 'no'],
    ['aborted', 'nothing', 'no'],
    ['internal', 'nothing', 'no'],
  ] satisfies [ErrorCode, string, string][])('%s rests %s; another account: %s', (code, rests, anotherAccount) => {
    expect(judge(new GenerationError(code, 'x'))).toMatchObject({ rests, anotherAccount, fault: ERRORS[code].fault })
  })

  it('has a row for every code, none without a reason or with a rest that shrinks', () => {
    expect(Object.keys(FAILURES).sort()).toEqual(Object.keys(ERRORS).sort())
    for (const row of Object.values(FAILURES)) {
      expect(row.reason).not.toBe('')
      expect(row.maxMs).toBeGreaterThanOrEqual(row.baseMs)
    }
  })

  it('rests a blocked address for two hours', () => {
    expect(judge({ code: 'upstream_refused' })).toMatchObject({ kind: 'address-blocked', baseMs: 7_200_000 })
  })

  it('believes an error that blames something else than usual', () => {
    expect(judge({ code: 'rate_limited', fault: 'egress' })).toMatchObject({ rests: 'egress', kind: 'address-blocked' })
    expect(judge({ code: 'rate_limited', fault: 'model' })).toMatchObject({ rests: 'model', kind: 'limited' })
    expect(judge({ code: 'upstream_unavailable', fault: 'egress' })).toMatchObject({
      rests: 'egress',
      kind: 'cooling',
      reason: 'The upstream could not be reached several times in a row; the address is at fault, not the account',
    })
    expect(judge({ code: 'rate_limited', fault: 'upstream' })).toMatchObject({
      rests: 'nothing',
      anotherAccount: 'yes',
    })
    expect(judge({ code: 'upstream_refused', fault: 'account' })).toMatchObject({
      rests: 'account',
      kind: 'needs-attention',
    })
  })

  it("does not take a client's blame of its caller for blame of ours", () => {
    expect(judge({ code: 'upstream_auth', fault: 'caller' })).toMatchObject({ rests: 'account', kind: 'signed-out' })
  })

  it('tries another account for a model that only this one lacks', () => {
    expect(judge({ code: 'model_not_found', fault: 'account' })).toMatchObject({
      rests: 'model',
      kind: 'limited',
      anotherAccount: 'yes',
    })
  })

  it('never blames an account for a caller that left or for our own bug', () => {
    expect(judge({ code: 'aborted', fault: 'account' })).toMatchObject({ rests: 'nothing', anotherAccount: 'no' })
    expect(judge({ code: 'internal', fault: 'account' })).toMatchObject({ rests: 'nothing', anotherAccount: 'no' })
  })

  it('asks for a person where a link is known', () => {
    const link = 'https://accounts.example/verify'
    expect(judge({ code: 'upstream_refused', link })).toMatchObject({ rests: 'account', kind: 'needs-attention', link })
  })

  it("shows the upstream's short code and keeps its wait", () => {
    expect(judge({ code: 'quota_exhausted', upstreamCode: '1037', retryAfterMs: 5_000 })).toMatchObject({
      reason: 'The quota is used up (1037)',
      hintMs: 5_000,
    })
  })
})
