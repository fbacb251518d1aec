import { createCallerKeys, type CallerKeySettings } from '@castorjs/caller-keys'
import {
  collect,
  finalChunk,
  GenerationError,
  partsChunk,
  textPart,
  type ContentGenerator,
  type GenerateOptions,
} from '@castorjs/content-generator'
import { createRequestLimits, type RequestLimitsOptions } from '@castorjs/request-limits'
import { createMemoryStateStore } from '@castorjs/state-store'
import { describeContentGenerator, scriptedGenerator } from '@castorjs/testkit'
import { describe, expect, it } from 'vitest'
import { routeByModel } from '../upstreams/route-by-model.ts'
import { type CallerPolicyOptions, withCallerPolicy, withUpstreamPermission } from './with-caller-policy.ts'

const NO_LIMITS: RequestLimitsOptions = { perHour: false, modelSpacingMs: false }
const request = (model: string) => ({ model, contents: [{ role: 'user', parts: [{ text: 'hi' }] }] })

describeContentGenerator('withCallerPolicy', () => {
  const upstream = scriptedGenerator(({ model }) => {
    if (model === 'silent') return ['stall']
    if (model === 'stalled') return [partsChunk([textPart('a')]), 'stall']
    if (model === 'refused') return [new GenerationError('quota_exhausted', 'Spent.')]
    return [partsChunk([textPart('hello')]), finalChunk('STOP')]
  })
  return {
    generator: withCallerPolicy(upstream, {
      keyOf: async () => undefined,
      limits: createRequestLimits(NO_LIMITS),
      limitsOf: () => ({}),
      upstreamsFor: () => ['scripted'],
    }),
    answered: () => request('answered'),
    silent: () => request('silent'),
    stalled: () => request('stalled'),
    refused: () => ({ request: request('refused'), code: 'quota_exhausted' as const }),
    held: () => upstream.open,
    close: () => undefined,
  }
})

async function setUp(settings: CallerKeySettings, limits: RequestLimitsOptions = NO_LIMITS) {
  const keys = createCallerKeys({ store: createMemoryStateStore() })
  const { record } = await keys.create(settings)
  const upstream = scriptedGenerator(
    ({ model }) =>
      model === 'spent'
        ? [new GenerationError('quota_exhausted', 'Spent.')]
        : [partsChunk([textPart('hello')]), finalChunk('STOP')],
    { name: 'web', models: [{ name: 'small' }, { name: 'large' }] },
  )
  /** Knows by itself what it does not serve. */
  const knowing: ContentGenerator = {
    ...upstream,
    async *generateContentStream(asked, own) {
      if (asked.model === 'unknown') throw new GenerationError('model_not_found', 'None.')
      yield* upstream.generateContentStream(asked, own)
    },
  }
  const policy: CallerPolicyOptions = {
    keyOf: keys.checkId,
    limits: createRequestLimits(limits),
    limitsOf: (_caller, key) => key?.limits ?? {},
    upstreamsFor: () => ['web'],
  }
  const generator = withCallerPolicy(withUpstreamPermission(knowing, keys.checkId), policy)
  const headers: Record<string, string> = {}
  const options: GenerateOptions = {
    signal: new AbortController().signal,
    requestId: 'r',
    caller: record.id,
    onHeaders: (more) => Object.assign(headers, more),
  }
  const ask = (model: string) => collect(generator.generateContentStream(request(model), options))
  const left = async () => (await policy.limits.headers(record.id))['x-ratelimit-remaining-requests']
  const models = () => generator.models(options)
  return { ask, left, models, headers, upstream, generator, keys, options, caller: record.id }
}

describe('withCallerPolicy', () => {
  it('lets a key use its models only, and lists only those', async () => {
    const { ask, upstream, models } = await setUp({ name: 'phone', models: ['small'] })
    await expect(ask('small')).resolves.toBeDefined()
    await expect(ask('large')).rejects.toMatchObject({ code: 'forbidden', suggestions: ['small'] })
    expect(upstream.requests).toHaveLength(1)
    expect(await models()).toEqual([{ name: 'small' }])
  })

  it('keeps a key away from an upstream it may not use, and from the names of its models', async () => {
    const { ask, upstream, models } = await setUp({ name: 'phone', upstreams: ['gemini-api'] })
    await expect(ask('small')).rejects.toMatchObject({ code: 'forbidden' })
    expect(upstream.requests).toHaveLength(0)
    expect(await models()).toEqual([])
  })

  it('passes over the upstreams of a mount that a key may not use', async () => {
    const keys = createCallerKeys({ store: createMemoryStateStore() })
    const { record } = await keys.create({ name: 'phone', upstreams: ['api'] })
    const answer = [partsChunk([textPart('hello')]), finalChunk('STOP')]
    const [web, api] = ['web', 'api'].map((name) =>
      scriptedGenerator(answer, { name, models: [{ name: `of-${name}` }] }),
    )
    const mount = routeByModel(
      '/',
      [web!, api!].map((upstream) => ({ upstream: withUpstreamPermission(upstream, keys.checkId) })),
    )
    const options = { signal: new AbortController().signal, requestId: 'r', caller: record.id }
    await collect(mount.generateContentStream(request('m'), options))
    expect([web!.requests.length, api!.requests.length]).toEqual([0, 1])
    expect(await mount.models(options)).toEqual([{ name: 'of-api' }])
    await keys.update(record.id, { upstreams: ['other'] })
    await expect(collect(mount.generateContentStream(request('m'), options))).rejects.toThrow(
      'The key "phone" may not use the upstream web.',
    )
  })

  it('checks the model of every text that is to be embedded', async () => {
    const keys = createCallerKeys({ store: createMemoryStateStore() })
    const { record } = await keys.create({ name: 'phone', models: ['small'] })
    const upstream = scriptedGenerator([], {
      embed: (requests) => ({ embeddings: requests.map(() => ({ values: [1] })) }),
    })
    const generator = withCallerPolicy(upstream, {
      keyOf: keys.checkId,
      limits: createRequestLimits(NO_LIMITS),
      limitsOf: () => ({}),
      upstreamsFor: () => ['scripted'],
    })
    const options = { signal: new AbortController().signal, requestId: 'r', caller: record.id }
    const embed = (models: string[]) =>
      generator.embedContent!(
        models.map((model) => ({ model, content: { parts: [{ text: 'a' }] } })),
        options,
      )
    await expect(embed(['small', 'small'])).resolves.toBeDefined()
    await expect(embed(['small', 'large'])).rejects.toMatchObject({ code: 'forbidden' })
  })

  it('names the limit and the seconds, and asks nothing of the upstream', async () => {
    const { ask, headers, upstream } = await setUp({ name: 'phone', limits: { perHour: 2 } })
    await ask('small')
    expect(headers['x-ratelimit-remaining-requests']).toBe('1')
    await ask('small')
    await expect(ask('small')).rejects.toMatchObject({
      code: 'rate_limited',
      fault: 'caller',
      message: expect.stringMatching(/^The limit of 2 requests an hour is used up\. Try again in \d+ seconds\.$/),
    })
    expect(headers).toMatchObject({ 'x-ratelimit-limit-requests': '2', 'x-ratelimit-remaining-requests': '0' })
    expect(upstream.requests).toHaveLength(2)
  })

  it('counts a request once that asks for several pictures', async () => {
    const { generator, headers, upstream, caller } = await setUp(
      { name: 'phone' },
      { perHour: 60, modelSpacingMs: 5_000 },
    )
    const signal = new AbortController().signal
    const onHeaders = (more: Readonly<Record<string, string>>) => void Object.assign(headers, more)
    const draw = (options: Partial<GenerateOptions>) =>
      collect(
        generator.generateContentStream(request('small'), {
          signal,
          requestId: 'r',
          caller,
          onHeaders,
          ...options,
        }),
      )
    const one = { shared: {} }
    await Promise.all([draw(one), draw(one), draw(one)])
    expect(upstream.requests).toHaveLength(3)
    expect(headers['x-ratelimit-remaining-requests']).toBe('59')
    const other = { shared: {} }
    const refused = await Promise.allSettled([draw(other), draw(other)])
    expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  })

  it('does not count what its key may not use, nor make the model wait for it', async () => {
    const { ask, keys, caller, left, upstream } = await setUp(
      { name: 'phone', upstreams: ['api'] },
      { perHour: 60, modelSpacingMs: 5_000 },
    )
    for (let times = 0; times < 3; times++) await expect(ask('small')).rejects.toMatchObject({ code: 'forbidden' })
    expect(await left()).toBe('60')
    await keys.update(caller, { upstreams: ['web'] })
    await ask('small')
    expect([await left(), upstream.requests.length]).toEqual(['59', 1])
  })

  it('gives back what was refused before anybody was asked, and counts what an upstream refused', async () => {
    const { generator, headers, left, options } = await setUp({ name: 'phone' }, { perHour: 60, modelSpacingMs: 5_000 })
    const ask = (model: string) => collect(generator.generateContentStream(request(model), options))
    for (let times = 0; times < 3; times++) {
      await expect(ask('unknown')).rejects.toMatchObject({ code: 'model_not_found' })
      expect([headers['x-ratelimit-remaining-requests'], await left()]).toEqual(['60', '60'])
    }
    await expect(ask('spent')).rejects.toMatchObject({ code: 'quota_exhausted' })
    expect(await left()).toBe('59')
    await expect(ask('spent')).rejects.toMatchObject({ code: 'rate_limited' })
  })

  it.each([
    [['unknown', 'unknown', 'unknown'], '60'],
    [['unknown', 'spent', 'unknown'], '59'],
    [['small', 'unknown', 'unknown'], '59'],
  ])('counts a request for several pictures if one of them was asked for: %j', async (models, after) => {
    const { generator, left, options } = await setUp({ name: 'phone' }, { perHour: 60, modelSpacingMs: 5_000 })
    const draw = (shared: Record<symbol, unknown>) =>
      models.map((model) => collect(generator.generateContentStream(request(model), { ...options, shared })))
    await Promise.allSettled(draw({}))
    expect(await left()).toBe(after)
    // One after the other as well.
    const next = await setUp({ name: 'phone' }, { perHour: 60, modelSpacingMs: 5_000 })
    const shared = {}
    for (const model of models) {
      const answer = collect(next.generator.generateContentStream(request(model), { ...next.options, shared }))
      await answer.catch(() => undefined)
    }
    expect(await next.left()).toBe(after)
  })

  it('keeps requests for one model apart, over all callers', async () => {
    const { ask } = await setUp({ name: 'phone' }, { perHour: 60, modelSpacingMs: 5_000 })
    await ask('small')
    await expect(ask('small')).rejects.toThrow(/must be 5 seconds apart/)
    await expect(ask('large')).resolves.toBeDefined()
  })
})
