import { createKeyCheck, finalChunk, partsChunk, textPart } from '@castorjs/content-generator'
import { scriptedGenerator } from '@castorjs/testkit'
import { describe, expect, it } from 'vitest'
import { createGeminiNativeHandler } from './handler.ts'

const request = {
  contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
  session_id: 's-1',
  generationConfig: { seed: 1 },
}
const wrapper = { model: 'gemini-2.5-pro', project: 'castor', user_prompt_id: 'p', request }

function connect() {
  const generator = scriptedGenerator([partsChunk([textPart('a')]), finalChunk('STOP', {}, [textPart('b')])])
  const authorize = createKeyCheck([{ id: 'k', key: 'right' }])
  const handle = createGeminiNativeHandler({ generator, authorize, heartbeatMs: 0 })
  const call = (path: string, body?: unknown, key = 'right'): Promise<Response> =>
    handle(
      new Request(`http://castor.test/gemini_cli/v1internal${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { authorization: `Bearer ${key}`, 'x-request-id': 'trace' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    )
  return { generator, call }
}

describe('the calls of Code Assist', () => {
  it('answer whole and streamed, in their envelope', async () => {
    const { generator, call } = connect()
    expect(await (await call(':generateContent', wrapper)).json()).toEqual({
      response: {
        candidates: [{ index: 0, content: { role: 'model', parts: [{ text: 'ab' }] }, finishReason: 'STOP' }],
      },
      traceId: 'trace',
    })
    const stream = await (await call(':streamGenerateContent?alt=sse', wrapper)).text()
    expect(stream.split('\r\n\r\n')[0]).toBe(
      'data: {"response":{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"a"}]}}]},"traceId":"trace"}',
    )
    const { session_id: _, ...inner } = request
    expect(generator.requests[0]).toEqual({ ...inner, model: 'gemini-2.5-pro' })
    expect(generator.options[0]?.sessionId).toBe('s-1')
  })

  it('give everybody a seat', async () => {
    const { call } = connect()
    expect(await (await call(':loadCodeAssist', { metadata: {} })).json()).toMatchObject({
      currentTier: { id: 'standard-tier' },
      cloudaicompanionProject: 'castor',
    })
    for (const path of [':onboardUser', ':retrieveUserQuota', ':listExperiments', ':recordCodeAssistMetrics']) {
      expect((await call(path, {})).status).toBe(200)
    }
    expect(await (await call('/operations/castor')).json()).toMatchObject({ done: true })
  })

  it('count tokens', async () => {
    const { call } = connect()
    const counted = { request: { model: 'models/m', contents: [{ role: 'user', parts: [{ text: 'twelve chars' }] }] } }
    expect(await (await call(':countTokens', counted)).json()).toEqual({ totalTokens: 3 })
  })

  it.each([
    [':generateContent', wrapper, 'wrong', 401],
    [':generateContent', { request }, 'right', 400],
    [':generateContent', { ...wrapper, request: {} }, 'right', 400],
    [':somethingElse', {}, 'right', 404],
  ])('%s with %j and the key %s is %d', async (path, body, key, status) => {
    const { call } = connect()
    const response = await call(path, body, key)
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ error: { code: status } })
  })
})
