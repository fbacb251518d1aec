import {
  collect,
  finalChunk,
  GenerationError,
  partsChunk,
  textPart,
  type GenerateOptions,
} from '@castorjs/content-generator'
import { describeContentGenerator, scriptedGenerator, type ScriptStep } from '@castorjs/testkit'
import { describe, expect, it } from 'vitest'
import { routeByModel } from './route-by-model.ts'

const OPTIONS: GenerateOptions = { signal: new AbortController().signal, requestId: 'r' }
const request = (model: string) => ({ model, contents: [{ role: 'user', parts: [{ text: 'hi' }] }] })
const missing = new GenerationError('model_not_found', 'No such model.', { suggestions: ['near'] })
const spent = new GenerationError('quota_exhausted', 'Spent.')
const says = (text: string): ScriptStep[] => [partsChunk([textPart(text)]), finalChunk('STOP')]

async function textOf(generator: ReturnType<typeof routeByModel>, model: string): Promise<string | undefined> {
  const answer = await collect(generator.generateContentStream(request(model), OPTIONS))
  return answer.candidates?.[0]?.content?.parts?.[0]?.text
}

describeContentGenerator('routeByModel', () => {
  const none = scriptedGenerator([missing])
  const upstream = scriptedGenerator(({ model }) => {
    if (model === 'silent') return ['stall']
    if (model === 'stalled') return [partsChunk([textPart('a')]), 'stall']
    return model === 'refused' ? [spent] : says('hello')
  })
  return {
    generator: routeByModel('/', [{ upstream: none }, { upstream }]),
    answered: () => request('answered'),
    silent: () => request('silent'),
    stalled: () => request('stalled'),
    refused: () => ({ request: request('refused'), code: 'quota_exhausted' as const }),
    held: () => upstream.open + none.open,
    close: () => undefined,
  }
})

describe('routeByModel', () => {
  it('passes over an upstream that does not serve the model', async () => {
    const web = scriptedGenerator([missing])
    const api = scriptedGenerator(says('from the API'))
    expect(await textOf(routeByModel('/', [{ upstream: web }, { upstream: api }]), 'x')).toBe('from the API')
    expect(web.requests).toHaveLength(1)
  })

  it('asks only upstreams whose patterns match', async () => {
    const pictures = scriptedGenerator(says('picture'))
    const text = scriptedGenerator(says('text'))
    const generator = routeByModel('/', [{ upstream: pictures, models: ['*-imagen', 'a.b'] }, { upstream: text }])
    expect(await textOf(generator, 'gemini-imagen')).toBe('picture')
    expect(await textOf(generator, 'axb')).toBe('text')
    expect(await textOf(generator, 'Gemini-IMAGEN')).toBe('picture')
    expect(pictures.requests.map(({ model }) => model)).toEqual(['gemini-imagen', 'Gemini-IMAGEN'])
  })

  it('tells a spent upstream as it is, and goes on only when the operator asked for it', async () => {
    const routes = [{ upstream: scriptedGenerator([spent]) }, { upstream: scriptedGenerator(says('second')) }]
    await expect(textOf(routeByModel('/', routes), 'x')).rejects.toMatchObject({ code: 'quota_exhausted' })
    expect(await textOf(routeByModel('/', routes, { fallback: true }), 'x')).toBe('second')
  })

  it('never tries again after the first chunk', async () => {
    const second = scriptedGenerator(says('second'))
    const first = scriptedGenerator([partsChunk([textPart('half')]), spent])
    const generator = routeByModel('/', [{ upstream: first }, { upstream: second }], { fallback: true })
    await expect(textOf(generator, 'x')).rejects.toMatchObject({ code: 'quota_exhausted' })
    expect(second.requests).toHaveLength(0)
  })

  it('gathers near matches when nobody has the model', async () => {
    const other = new GenerationError('model_not_found', 'No such model.', { suggestions: ['far', 'near'] })
    const generator = routeByModel('/', [
      { upstream: scriptedGenerator([missing]) },
      { upstream: scriptedGenerator([other]) },
    ])
    await expect(textOf(generator, 'x')).rejects.toMatchObject({
      code: 'model_not_found',
      suggestions: ['near', 'far'],
    })
  })

  it('lists every model once, and those of the upstreams that answer when another fails', async () => {
    const broken = { ...scriptedGenerator([]), models: () => Promise.reject(spent) }
    const one = scriptedGenerator([], { models: [{ name: 'a' }, { name: 'b' }] })
    const two = scriptedGenerator([], { models: [{ name: 'b', displayName: 'other' }, { name: 'c' }] })
    const generator = routeByModel('/', [
      { upstream: one },
      { upstream: broken },
      { upstream: two, models: ['b', 'c'] },
    ])
    expect(await generator.models(OPTIONS)).toEqual([{ name: 'a' }, { name: 'b' }, { name: 'c' }])
    await expect(routeByModel('/', [{ upstream: broken }, { upstream: broken }]).models(OPTIONS)).rejects.toBe(spent)
  })

  it('says clearly when nobody can embed', async () => {
    const generator = routeByModel('/', [{ upstream: scriptedGenerator([]) }, { upstream: scriptedGenerator([]) }])
    const content = { parts: [{ text: 'x' }] }
    await expect(generator.embedContent?.([{ model: 'm', content }], OPTIONS)).rejects.toMatchObject({
      code: 'unsupported',
    })
  })
})
