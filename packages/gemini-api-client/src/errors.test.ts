import { collect, type GenerateContentRequest } from '@castorjs/content-generator'
import { createGeminiApiEmulator, faults, type Fault } from '@castorjs/gemini-api-emulator'
import { createFetchTransport } from '@castorjs/http-transport'
import { describe, expect, it } from 'vitest'
import { createGeminiApiGenerator } from './index.ts'

/** 20 November 2026, 19:00 in UTC: 11:00 in California. */
const NOW = Date.UTC(2026, 10, 20, 19)
const REQUEST: GenerateContentRequest = {
  model: 'gemini-2.5-flash',
  contents: [{ role: 'user', parts: [{ text: 'one two three four five' }] }],
}

async function failWith(fault: Fault | undefined, apiKey = 'emulator-key', model = 'gemini-2.5-flash') {
  const emulator = createGeminiApiEmulator()
  if (fault !== undefined) emulator.controls.fail(fault)
  const transport = createFetchTransport({ fetch: emulator.fetch })
  const generator = createGeminiApiGenerator({ apiKey, transport, now: () => NOW })
  const options = { signal: new AbortController().signal, requestId: 'r' }
  return collect(generator.generateContentStream({ ...REQUEST, model }, options)).then(
    () => undefined,
    (error: unknown) => error as Error,
  )
}

const MINUTE = 60_000

describe('errors of the upstream become ours', () => {
  it.each<[string, Fault, object]>([
    ['per minute, 1.5s', faults.perMinute('1.5s'), { code: 'rate_limited', retryAfterMs: 1_500 }],
    ['per minute, 500ms', faults.perMinute('500ms'), { code: 'rate_limited', retryAfterMs: 500 }],
    ['per minute, 1h2m3.4s', faults.perMinute('1h2m3.4s'), { code: 'rate_limited', retryAfterMs: 3_723_400 }],
    ['per minute, in words', faults.perMinuteInText('12.3s'), { code: 'rate_limited', retryAfterMs: 12_300 }],
    [
      'per day, until midnight in California',
      faults.perDay(),
      { code: 'quota_exhausted', retryAfterMs: 13 * 60 * MINUTE },
    ],
    [
      'no free tier',
      faults.noFreeTier(),
      { code: 'quota_exhausted', retryAfterMs: undefined, upstreamCode: 'NO_QUOTA' },
    ],
    ['bare', faults.bareExhausted(), { code: 'rate_limited', retryAfterMs: 2_000 }],
    ['bare, as an object', { ...faults.bareExhausted(), array: false }, { code: 'rate_limited' }],
    ['an allotment', faults.allotmentGone('161h39m41.3s', ''), { code: 'quota_exhausted', retryAfterMs: 581_981_300 }],
    [
      'an allotment with a time',
      faults.allotmentGone('', '2026-11-20T19:10:00Z'),
      { code: 'quota_exhausted', retryAfterMs: 10 * MINUTE },
    ],
    ['no capacity', faults.noCapacity('m'), { code: 'upstream_unavailable', fault: 'upstream' }],
    ['503', faults.unavailable(), { code: 'upstream_unavailable' }],
    ['500', faults.internal(), { code: 'upstream_unavailable' }],
    ['504', faults.deadline(), { code: 'upstream_timeout' }],
    ['region', faults.region(), { code: 'upstream_refused', fault: 'egress' }],
    ['leaked key', faults.leakedKey(), { code: 'upstream_auth', fault: 'account' }],
    ['disabled service', faults.serviceDisabled(), { code: 'upstream_auth', upstreamCode: 'SERVICE_DISABLED' }],
    ['too long', faults.tooLong(), { code: 'too_large', upstreamCode: 'context_length_exceeded' }],
    ['an unknown field', faults.unknownName('foo'), { code: 'invalid_request' }],
    ['a page, 413', { kind: 'html', code: 413 }, { code: 'too_large' }],
    ['a page, 502', { kind: 'html', code: 502 }, { code: 'upstream_unavailable' }],
    ['a page, 404', { kind: 'html', code: 404 }, { code: 'model_not_found' }],
    ['in mid-stream', faults.lateUnavailable(), { code: 'upstream_unavailable' }],
    ['cut off', { kind: 'truncate' }, { code: 'upstream_unavailable' }],
    ['reset in mid-stream', { kind: 'reset' }, { code: 'upstream_unavailable' }],
    ['reset before the headers', { kind: 'reset', afterChunks: 0 }, { code: 'upstream_unavailable' }],
  ])('%s', async (_, fault, expected) => {
    expect(await failWith(fault)).toMatchObject(expected)
  })

  it('names the service that is to be enabled, and not the project', async () => {
    const { message } = (await failWith(faults.serviceDisabled())) ?? {}
    expect(message).toBe(
      'The upstream does not let this server’s account do this (SERVICE_DISABLED). Enable generativelanguage.googleapis.com for its project in the Google Cloud console.',
    )
  })

  it.each([400, 403, 418, 429, 500, 503])(
    'a %i repeats nothing that Google says in the place of its codes',
    async (code) => {
      const said = 'the prompt was "tell me a secret"'
      const info = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: said, metadata: { service: said } }
      const error = await failWith({ kind: 'error', code, status: said, message: said, details: [info] })
      expect(JSON.stringify({ ...error, message: error?.message })).not.toContain('secret')
    },
  )

  it('a bad key of ours is never the caller’s fault', async () => {
    const error = await failWith(undefined, 'wrong')
    expect(error).toMatchObject({ code: 'upstream_auth', fault: 'account', upstreamCode: 'API_KEY_INVALID' })
  })

  it('a retired model is not found, and the error says what took its place', async () => {
    expect(await failWith(undefined, 'emulator-key', 'gemini-2.0-flash')).toMatchObject({
      code: 'model_not_found',
      field: 'model',
      message: 'Google shut gemini-2.0-flash down on 2026-06-01. Ask for gemini-3.8-flash or gemini-2.5-flash.',
      suggestions: ['gemini-3.8-flash', 'gemini-2.5-flash'],
    })
  })

  it('never say what Google or the caller said', async () => {
    const fault: Fault = {
      kind: 'error',
      code: 400,
      status: 'INVALID_ARGUMENT',
      message: "Bad value at 'contents[0]' SECRET-PROMPT",
    }
    const error = await failWith(fault)
    expect(error).toMatchObject({ code: 'invalid_request', field: 'contents[0]' })
    expect(JSON.stringify([error?.message, error?.cause])).not.toContain('SECRET')
  })
})
