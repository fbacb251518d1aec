import { scriptedGenerator } from '@castorjs/testkit'
import { expect, it } from 'vitest'
import { withAnswers } from './answer.ts'
import { collect } from './collect.ts'
import { finalChunk, partsChunk, textPart, thoughtPart } from './parts.ts'

const REQUEST = { model: 'scripted-model', contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] }
const options = () => ({ signal: new AbortController().signal, requestId: 'test' })

it('asks once more after an empty or malformed answer, and hands out only the second', async () => {
  for (const reason of ['STOP', 'MALFORMED_FUNCTION_CALL']) {
    const upstream = scriptedGenerator((_, call) =>
      call === 1
        ? [{ responseId: 'first' }, finalChunk(reason)]
        : [partsChunk([textPart('Good day')]), finalChunk('STOP')],
    )
    const answer = await collect(withAnswers(upstream).generateContentStream(REQUEST, options()))
    expect(answer).toEqual({
      candidates: [{ index: 0, content: { role: 'model', parts: [{ text: 'Good day' }] }, finishReason: 'STOP' }],
    })
    expect(upstream.open).toBe(0)
  }
})

it('reports the second empty answer', async () => {
  const upstream = scriptedGenerator([finalChunk('STOP', {}, [{ text: '' }])])
  await expect(collect(withAnswers(upstream).generateContentStream(REQUEST, options()))).rejects.toMatchObject({
    code: 'upstream_unavailable',
    fault: 'model',
    message: 'The model gave an empty answer. Send the request again, or put it in other words.',
  })
  expect(upstream.requests).toHaveLength(2)
})

it('does not ask again once something was handed out', async () => {
  const upstream = scriptedGenerator([partsChunk([thoughtPart('Hm')]), finalChunk('STOP')])
  await expect(collect(withAnswers(upstream).generateContentStream(REQUEST, options()))).rejects.toMatchObject({
    code: 'upstream_unavailable',
  })
  expect(upstream.requests).toHaveLength(1)
})

it('lets an answer that hit its limit or a filter be empty', async () => {
  for (const reason of ['MAX_TOKENS', 'SAFETY']) {
    const upstream = scriptedGenerator([finalChunk(reason)])
    const answer = await collect(withAnswers(upstream).generateContentStream(REQUEST, options()))
    expect(answer.candidates?.[0]?.finishReason).toBe(reason)
  }
})
