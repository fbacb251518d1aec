import { finalChunk, GenerationError, partsChunk, textPart, thoughtPart } from '@castorjs/content-generator'
import { scriptedGenerator, type ScriptedGenerator, type ScriptStep } from '@castorjs/testkit'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { createOpenAIHandler } from './handler.ts'
import type { OpenAIHandlerOptions } from './options.ts'

/** The official SDK in front of a scripted upstream, without a socket. */
function connect(
  script: Parameters<typeof scriptedGenerator>[0],
  options: Partial<OpenAIHandlerOptions> = {},
): { client: OpenAI; upstream: ScriptedGenerator } {
  const upstream = scriptedGenerator(script, {
    models: [{ name: 'gemini-2.5-flash' }, { name: 'models/gemini-2.5-pro' }],
  })
  const handler = createOpenAIHandler({ generator: upstream, authorize: 'anyone', ...options })
  const client = new OpenAI({
    apiKey: 'test',
    baseURL: 'http://castor.test/v1',
    maxRetries: 0,
    fetch: (url, init) => handler(new Request(url, init)),
  })
  return { client, upstream }
}

const USAGE = { promptTokenCount: 40, candidatesTokenCount: 10, thoughtsTokenCount: 12, totalTokenCount: 62 }
const HELLO: ScriptStep[] = [
  partsChunk([thoughtPart('A greeting.')], { responseId: 'r1', modelVersion: 'gemini-2.5-flash-001' }),
  partsChunk([textPart('Good ')]),
  partsChunk([textPart('day')]),
  finalChunk('STOP', { usageMetadata: USAGE }),
]
const messages = [{ role: 'user' as const, content: 'Hello' }]

describe('the official SDK', () => {
  it('reads a whole answer', async () => {
    const { client, upstream } = connect(HELLO)
    const before = Math.floor(Date.now() / 1000)
    const completion = await client.chat.completions.create({ model: 'gemini-2.5-flash', messages })
    expect(completion).toEqual({
      id: expect.stringMatching(/^chatcmpl-[0-9a-f]{24}$/) as string,
      object: 'chat.completion',
      created: expect.any(Number) as number,
      model: 'gemini-2.5-flash',
      choices: [
        {
          index: 0,
          finish_reason: 'stop',
          logprobs: null,
          message: {
            role: 'assistant',
            content: 'Good day',
            refusal: null,
            annotations: [],
            reasoning_content: 'A greeting.',
          },
        },
      ],
      usage: {
        prompt_tokens: 40,
        completion_tokens: 22,
        total_tokens: 62,
        prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
        completion_tokens_details: {
          reasoning_tokens: 12,
          audio_tokens: 0,
          accepted_prediction_tokens: 0,
          rejected_prediction_tokens: 0,
        },
      },
      system_fingerprint: null,
      service_tier: 'default',
    })
    expect(completion.created - before).toBeLessThan(60)
    expect(upstream.requests).toEqual([
      {
        model: 'gemini-2.5-flash',
        contents: [{ role: 'user', parts: [{ text: 'Hello' }] }],
        generationConfig: { thinkingConfig: { includeThoughts: true } },
      },
    ])
  })

  it('reads a stream, with usage only where it was asked for', async () => {
    const { client } = connect(HELLO)
    for (const includeUsage of [true, false]) {
      const stream = await client.chat.completions.create({
        model: 'gemini-2.5-flash',
        messages,
        stream: true,
        ...(includeUsage ? { stream_options: { include_usage: true } } : {}),
      })
      const deltas: unknown[] = []
      const rest: unknown[] = []
      for await (const chunk of stream) {
        if (chunk.choices[0] === undefined) rest.push(chunk.usage?.total_tokens)
        else deltas.push([chunk.choices[0].delta, chunk.choices[0].finish_reason])
      }
      expect(deltas).toEqual([
        [{ role: 'assistant', content: '' }, null],
        [{ reasoning_content: 'A greeting.' }, null],
        [{ content: 'Good ' }, null],
        [{ content: 'day' }, null],
        [{}, 'stop'],
      ])
      expect(rest).toEqual(includeUsage ? [62] : [])
    }
  })

  it('accepts streams through its strict helper', async () => {
    const { client } = connect([
      partsChunk([textPart('Let me look. ')]),
      partsChunk([
        { functionCall: { name: 'get_weather', args: { city: 'Oslo' } }, thoughtSignature: 'QUJD' },
        { functionCall: { id: 'up_2', name: 'get_weather', args: { city: 'Bergen' } } },
      ]),
      finalChunk('STOP'),
    ])
    const stream = client.chat.completions.stream({
      model: 'gemini-2.5-flash',
      messages,
      tools: [{ type: 'function', function: { name: 'get_weather', parameters: { type: 'object', properties: {} } } }],
    })
    const completion = await stream.finalChatCompletion()
    expect(completion.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: 'Let me look. ',
        tool_calls: [
          { type: 'function', function: { name: 'get_weather', arguments: '{"city":"Oslo"}' } },
          { id: 'up_2', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Bergen"}' } },
        ],
      },
    })
  })

  it('takes a tool round trip, and gets the signature back to its call', async () => {
    const call = { functionCall: { name: 'get_weather', args: { city: 'Oslo' } }, thoughtSignature: 'QUJD' }
    const { client, upstream } = connect((_, number) =>
      number === 1 ? [partsChunk([call]), finalChunk('STOP')] : [partsChunk([textPart('Rain.')]), finalChunk('STOP')],
    )
    const tools = [{ type: 'function' as const, function: { name: 'get_weather' } }]
    const first = await client.chat.completions.create({ model: 'gemini-3-flash-preview', messages, tools })
    const message = first.choices[0]?.message
    const toolCall = message?.tool_calls?.[0]
    expect(toolCall).toEqual({
      id: expect.stringMatching(/^call_[0-9a-f]{24}$/) as string,
      type: 'function',
      function: { name: 'get_weather', arguments: '{"city":"Oslo"}' },
      extra_content: { google: { thought_signature: 'QUJD' } },
    })
    // A client that rebuilds the message from what the types know loses the signature.
    const rebuilt = {
      id: toolCall?.id ?? '',
      type: 'function' as const,
      function: { name: 'get_weather', arguments: '{"city":"Oslo"}' },
    }
    await client.chat.completions.create({
      model: 'gemini-3-flash-preview',
      tools,
      messages: [
        ...messages,
        { role: 'assistant', content: null, tool_calls: [rebuilt] },
        { role: 'tool', tool_call_id: rebuilt.id, content: 'rain' },
      ],
    })
    expect(upstream.requests[1]?.contents).toEqual([
      { role: 'user', parts: [{ text: 'Hello' }] },
      {
        role: 'model',
        parts: [
          { functionCall: { id: rebuilt.id, name: 'get_weather', args: { city: 'Oslo' } }, thoughtSignature: 'QUJD' },
        ],
      },
      {
        role: 'user',
        parts: [{ functionResponse: { id: rebuilt.id, name: 'get_weather', response: { output: 'rain' } } }],
      },
    ])
  })

  it('lists and finds models, also by their full name', async () => {
    const { client } = connect([])
    const listed = await client.models.list()
    expect(listed.data.map((model) => model.id)).toEqual(['gemini-2.5-flash', 'gemini-2.5-pro'])
    expect(await client.models.retrieve('models/gemini-2.5-pro')).toMatchObject({
      id: 'gemini-2.5-pro',
      object: 'model',
      owned_by: 'google',
    })
    await expect(client.models.retrieve('gemini-9')).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
      param: 'model',
    })
  })

  it.each([
    [new GenerationError('invalid_request', 'No.'), OpenAI.BadRequestError, 400, 'invalid_value', 'false'],
    [new GenerationError('unauthenticated', 'No.'), OpenAI.AuthenticationError, 401, 'invalid_api_key', 'false'],
    [new GenerationError('forbidden', 'No.'), OpenAI.PermissionDeniedError, 403, null, 'false'],
    [new GenerationError('model_not_found', 'No.'), OpenAI.NotFoundError, 404, 'model_not_found', 'false'],
    [new GenerationError('unsupported', 'No.'), OpenAI.BadRequestError, 400, 'unsupported_parameter', 'false'],
    [new GenerationError('too_large', 'No.'), OpenAI.APIError, 413, 'request_too_large', 'false'],
    [new GenerationError('blocked', 'No.'), OpenAI.BadRequestError, 400, 'content_policy_violation', 'false'],
    [new GenerationError('rate_limited', 'No.'), OpenAI.RateLimitError, 429, 'rate_limit_exceeded', 'true'],
    [new GenerationError('quota_exhausted', 'No.'), OpenAI.RateLimitError, 429, 'insufficient_quota', 'false'],
    [new GenerationError('upstream_auth', 'No.'), OpenAI.InternalServerError, 502, 'upstream_auth', 'false'],
    [new GenerationError('upstream_refused', 'No.'), OpenAI.InternalServerError, 502, 'upstream_refused', 'false'],
    [new GenerationError('upstream_unavailable', 'No.'), OpenAI.InternalServerError, 503, 'upstream_error', 'true'],
    [new GenerationError('upstream_timeout', 'No.'), OpenAI.InternalServerError, 504, 'upstream_timeout', 'true'],
    [new GenerationError('protocol_drift', 'No.'), OpenAI.InternalServerError, 502, 'upstream_protocol', 'false'],
    [new GenerationError('internal', 'No.'), OpenAI.InternalServerError, 500, 'internal_error', 'false'],
  ])('raises its own class for %s', async (error, kind, status, code, retry) => {
    for (const stream of [false, true]) {
      const { client } = connect([error])
      const failure: unknown = await client.chat.completions
        .create({ model: 'gemini-2.5-flash', messages, stream })
        .catch((thrown: unknown) => thrown)
      expect(failure).toBeInstanceOf(kind)
      const { headers, ...fields } = failure as InstanceType<typeof OpenAI.APIError>
      expect(fields).toMatchObject({ status, code })
      expect(fields.error).toEqual({
        message: 'No.',
        type: expect.any(String) as string,
        param: error.code === 'model_not_found' ? 'model' : null,
        code,
      })
      expect((headers as Headers).get('x-should-retry')).toBe(retry)
    }
  })

  it('raises an error when the upstream fails in mid-stream, and sees no [DONE]', async () => {
    const { client } = connect([partsChunk([textPart('Half')]), new GenerationError('upstream_unavailable', 'Gone.')])
    const stream = await client.chat.completions.create({ model: 'gemini-2.5-flash', messages, stream: true })
    let text = ''
    const reading = (async () => {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
    })()
    await expect(reading).rejects.toThrow('Gone.')
    expect(text).toBe('Half')
  })

  it('leaves the upstream when the caller leaves the loop', async () => {
    const { client, upstream } = connect([partsChunk([textPart('One')]), 'stall'])
    const stream = await client.chat.completions.create({ model: 'gemini-2.5-flash', messages, stream: true })
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content === 'One') break
    await expect.poll(() => upstream.open).toBe(0)
    expect(upstream.options[0]?.signal.aborted).toBe(true)
  })
})
