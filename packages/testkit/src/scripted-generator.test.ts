import { collect, finalChunk, GenerationError, partsChunk, textPart } from '@castorjs/content-generator'
import { describe, expect, it } from 'vitest'
import { cutBytes, cutText, scriptedGenerator, streamOf } from './index.ts'

const request = (model: string) => ({ model, contents: [] })

describe('scriptedGenerator', () => {
  it('plays its script, and remembers what was really sent', async () => {
    const upstream = scriptedGenerator(({ model }, call) => [
      partsChunk([textPart(`${model} ${call}`)]),
      finalChunk('STOP'),
    ])
    const options = { signal: new AbortController().signal, requestId: 'r' }
    upstream.generateContentStream(request('never pulled'), options)
    const answers = []
    for (const model of ['a', 'b']) {
      const { candidates } = await collect(upstream.generateContentStream(request(model), options))
      answers.push(candidates?.[0]?.content?.parts?.[0]?.text)
    }
    expect(answers).toEqual(['a 1', 'b 2'])
    expect([upstream.requests, upstream.options, upstream.open]).toEqual([
      [request('a'), request('b')],
      [options, options],
      0,
    ])
  })

  it('waits, stalls until its caller leaves, and fails as told', async () => {
    const controller = new AbortController()
    const options = { signal: controller.signal, requestId: 'r' }
    const failing = scriptedGenerator([{ waitMs: 1 }, new GenerationError('blocked', 'No.')])
    await expect(collect(failing.generateContentStream(request('a'), options))).rejects.toMatchObject({
      code: 'blocked',
    })
    const stalling = scriptedGenerator(['stall'])
    const answer = collect(stalling.generateContentStream(request('a'), options))
    await expect.poll(() => stalling.open).toBe(1)
    controller.abort()
    await expect(answer).rejects.toMatchObject({ code: 'aborted' })
    expect(stalling.open).toBe(0)
  })
})

describe('cutting', () => {
  it('cuts text and bytes anywhere, and loses nothing', async () => {
    expect(cutText('a🐈b', 2)).toEqual(['a\ud83d', '\udc08b'])
    expect(cutBytes(new Uint8Array([1, 2, 3]), 2)).toEqual([new Uint8Array([1, 2]), new Uint8Array([3])])
    const pieces: string[] = []
    for await (const piece of streamOf(cutText('hello', 1))) pieces.push(piece)
    expect(pieces).toEqual(['h', 'e', 'l', 'l', 'o'])
  })
})
