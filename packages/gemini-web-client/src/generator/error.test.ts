import { ERRORS } from '@castorjs/content-generator'
import { describe, expect, it } from 'vitest'
import { GEMINI_WEB_ERRORS, GeminiWebError } from '../error.ts'
import { refusalError } from '../refusal-error.ts'
import { GENERATION_CODES, toDoorError } from './error.ts'

const { signal } = new AbortController()

describe('toDoorError', () => {
  it.each([
    [{ status: 3, code: 1003 }, 'invalid_request', 400, 'caller'],
    [{ status: 13, code: 1013 }, 'upstream_unavailable', 503, 'upstream'],
    [{ status: 8, code: 1037 }, 'quota_exhausted', 429, 'account'],
    [{ status: 9, code: 1050 }, 'invalid_request', 400, 'caller'],
    [{ status: 3, code: 1052 }, 'model_not_found', 404, 'model'],
    [{ status: 8, code: 1053 }, 'quota_exhausted', 429, 'account'],
    [{ status: 7, code: 1060 }, 'upstream_refused', 502, 'egress'],
    [{ status: 8, code: 1095 }, 'rate_limited', 429, 'egress'],
    [{ status: 13, code: 1096 }, 'upstream_unavailable', 503, 'upstream'],
    [{ status: 9, code: 1097 }, 'upstream_unavailable', 503, 'upstream'],
    [{ status: 16, code: 1099 }, 'upstream_auth', 502, 'account'],
    [{ status: 7, code: 1100 }, 'upstream_auth', 502, 'account'],
    [{ status: 13, code: 1155 }, 'upstream_unavailable', 503, 'upstream'],
    [{ status: 8, code: 1185 }, 'rate_limited', 429, 'account'],
    [{ status: 7 }, 'upstream_auth', 502, 'account'],
    [{ status: 16 }, 'upstream_auth', 502, 'account'],
    [{ status: 8 }, 'quota_exhausted', 429, 'account'],
    [{ status: 2 }, 'upstream_unavailable', 503, 'upstream'],
    [{ status: 13 }, 'upstream_unavailable', 503, 'upstream'],
    [{ status: 9 }, 'protocol_drift', 502, 'upstream'],
  ] as const)('gives the refusal %j the code %s, status %i, at fault: %s', (refusal, code, status, fault) => {
    const original = refusalError(refusal, { account: true })
    const error = toDoorError(original, signal)
    expect(error).toMatchObject({ code, fault, cause: original, upstreamCode: original.upstreamCode })
    expect(ERRORS[error.code].status).toBe(status)
  })

  it('knows every code of the client and keeps its words', () => {
    expect(Object.keys(GENERATION_CODES).sort()).toEqual(Object.keys(GEMINI_WEB_ERRORS).sort())
    const error = toDoorError(new GeminiWebError('throttled', 'Too fast', { retryAfterMs: 5_000 }), signal)
    expect(error).toMatchObject({
      code: 'rate_limited',
      retryAfterMs: 5_000,
      message: 'Too fast. Send fewer requests from this address and wait a little.',
    })
  })

  it('says aborted when the caller left, whatever was thrown', () => {
    const left = AbortSignal.abort()
    expect(toDoorError(new GeminiWebError('network', 'x'), left).code).toBe('aborted')
    expect(toDoorError(new RangeError('x'), signal)).toMatchObject({ code: 'internal' })
  })
})
