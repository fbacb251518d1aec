import { finalChunk, GenerationError, partsChunk, textPart, type Outcome, type Part } from '@castorjs/content-generator'
import { scriptedGenerator } from '@castorjs/testkit'
import { inspect } from 'node:util'
import OpenAI, { toFile } from 'openai'
import { describe, expect, it } from 'vitest'
import { createOpenAIHandler } from '../handler.ts'
import type { OpenAIHandlerOptions } from '../options.ts'
import { nearestAspectRatio, sizeClass } from './aspect-ratio.ts'

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const picture = (data = PNG): Part => ({ inlineData: { mimeType: 'image/png', data } })
const USAGE = { promptTokenCount: 300, candidatesTokenCount: 1290 }
const DRAWN = [partsChunk([picture()]), finalChunk('STOP', { usageMetadata: USAGE })]
const MODEL = 'gemini-3-pro-image-preview'

function connect(script: Parameters<typeof scriptedGenerator>[0] = DRAWN, options: Partial<OpenAIHandlerOptions> = {}) {
  const upstream = scriptedGenerator(script)
  const handler = createOpenAIHandler({ generator: upstream, authorize: 'anyone', ...options })
  const client = new OpenAI({
    apiKey: 'test',
    baseURL: 'http://castor.test/v1',
    maxRetries: 0,
    fetch: (url, init) => handler(new Request(url, init)),
  })
  const post = async (path: string, body: unknown) => {
    const answer = await handler(
      new Request(`http://castor.test${path}`, {
        method: 'POST',
        ...(body instanceof FormData
          ? { body }
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      }),
    )
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, unknown> }
  }
  return { upstream, client, post }
}

describe('the official SDK', () => {
  it('generates a picture', async () => {
    const { client, upstream } = connect()
    const answer = await client.images.generate({ model: MODEL, prompt: 'A cat', size: '1536x1024', quality: 'high' })
    expect(answer).toEqual({
      created: expect.any(Number) as number,
      data: [{ b64_json: PNG }],
      background: 'opaque',
      output_format: 'png',
      quality: 'high',
      size: '1536x1024',
      usage: {
        input_tokens: 300,
        input_tokens_details: { text_tokens: 300, image_tokens: 0 },
        output_tokens: 1290,
        total_tokens: 1590,
      },
    })
    expect(upstream.requests).toEqual([
      {
        model: MODEL,
        contents: [{ role: 'user', parts: [{ text: 'A cat' }] }],
        generationConfig: {
          responseModalities: ['TEXT', 'IMAGE'],
          imageConfig: { aspectRatio: '3:2', imageSize: '1K' },
        },
      },
    ])
    expect(upstream.options[0]?.media).toEqual({ size: { width: 1536, height: 1024 } })
  })

  it('edits one file and several, all of them (row 57)', async () => {
    const { client, upstream } = connect()
    const file = (name: string) => toFile(Buffer.from(PNG, 'base64'), name, { type: 'image/png' })
    await client.images.edit({ model: MODEL, prompt: 'Blue', image: await file('a.png'), n: 1 })
    await client.images.edit({ model: MODEL, prompt: 'Join', image: [await file('a.png'), await file('b.png')] })
    expect(upstream.requests.map((request) => request.contents[0]?.parts)).toEqual([
      [picture(), { text: 'Blue' }],
      [picture(), picture(), { text: 'Join' }],
    ])
    const edited = await client.images.edit({ model: MODEL, prompt: 'Blue', image: await file('a.png') })
    expect(edited.usage?.input_tokens_details).toEqual({ text_tokens: 1, image_tokens: 299 })
  })

  it('makes n pictures side by side, and keeps what succeeded', async () => {
    const { client, upstream } = connect((_, call) =>
      call === 2 ? [new GenerationError('rate_limited', 'Wait.')] : [partsChunk([picture()]), finalChunk('STOP')],
    )
    const answer = await client.images.generate({ prompt: 'A cat', n: 3 }).withResponse()
    expect(answer.data.data).toHaveLength(2)
    expect(answer.response.headers.get('x-castor-warnings')).toBe('n: 1 of 3 pictures could not be made.')
    expect(upstream.requests.map((request) => request.model)).toEqual(Array(3).fill('gemini-2.5-flash-image'))
  })

  it('streams drafts as partial pictures, then the picture', async () => {
    const { client } = connect([
      partsChunk([{ ...picture('QUJD'), thought: true }]),
      partsChunk([{ ...picture('REVG'), thought: true }]),
      ...DRAWN,
    ])
    const stream = await client.images.generate({ model: MODEL, prompt: 'A cat', stream: true, partial_images: 1 })
    const events: unknown[] = []
    for await (const event of stream) {
      events.push([event.type, event.b64_json, 'partial_image_index' in event ? event.partial_image_index : undefined])
    }
    expect(events).toEqual([
      ['image_generation.partial_image', 'QUJD', 0],
      ['image_generation.completed', PNG, undefined],
    ])
  })

  it('streams edits under their own names, and fails like any other stream', async () => {
    const image = await toFile(Buffer.from(PNG, 'base64'), 'a.png')
    const { client } = connect()
    const types: string[] = []
    for await (const event of await client.images.edit({ prompt: 'Blue', image, stream: true })) types.push(event.type)
    expect(types).toEqual(['image_edit.completed'])
    const refusing = connect([partsChunk([textPart('I will not.')]), finalChunk('STOP')]).client
    await expect(refusing.images.edit({ prompt: 'Blue', image, stream: true })).rejects.toMatchObject({ status: 400 })
  })

  it('tells the words of a refusal to the caller and to nobody else', async () => {
    const words = 'You asked for "a person", and I cannot draw real people.'
    const outcomes: Outcome[] = []
    const onOutcome = (outcome: Outcome) => void outcomes.push(outcome)
    for (const stream of [false, true]) {
      const { client } = connect([partsChunk([textPart(words)]), finalChunk('STOP')], { onOutcome })
      const asked = client.images.generate({ prompt: 'a person', stream }).then(async (answer) => {
        if (Symbol.asyncIterator in answer) for await (const _ of answer);
      })
      await expect(asked).rejects.toMatchObject({ status: 400, error: { message: words } })
    }
    const errors = outcomes.map(({ error }) => error)
    expect(errors.map((error) => error?.message)).toEqual(
      Array(2).fill('The model answered in words and made no picture.'),
    )
    expect(inspect(outcomes, { depth: null, showHidden: true })).not.toContain('person"')
  })

  it('raises the words of a refusal (row 59)', async () => {
    const { client } = connect([partsChunk([textPart('I cannot draw real people.')]), finalChunk('STOP')])
    await expect(client.images.generate({ prompt: 'A person' })).rejects.toMatchObject({
      status: 400,
      code: 'content_policy_violation',
      error: { message: 'I cannot draw real people.' },
    })
    const filtered = connect([finalChunk('IMAGE_SAFETY')]).client
    await expect(filtered.images.generate({ prompt: 'A person' })).rejects.toMatchObject({
      code: 'content_policy_violation',
      error: { message: 'The model made no picture (IMAGE_SAFETY). Change the prompt.' },
    })
  })
})

describe('the reference requests', () => {
  it('takes forms, with wishes in the query', async () => {
    const { post, upstream } = connect()
    const form = new FormData()
    form.set('prompt', '画小猫')
    form.set('model', 'gemini-2.5-flash-imagen')
    form.set('n', '1')
    const made = await post(
      '/gemini_official/v1/images/generations?return_origin_image=true&remove_watermark=true&size=1920x1080',
      form,
    )
    expect([made.status, made.body['data']]).toEqual([200, [{ b64_json: PNG }]])
    expect(upstream.requests[0]).toMatchObject({
      model: 'gemini-2.5-flash-imagen',
      contents: [{ role: 'user', parts: [{ text: '画小猫' }] }],
      generationConfig: { imageConfig: { aspectRatio: '16:9' } },
    })
    expect(upstream.options[0]?.media).toEqual({
      original: true,
      removeVisibleMark: true,
      size: { width: 1920, height: 1080 },
    })

    const edit = new FormData()
    edit.append('image[]', new File([Buffer.from(PNG, 'base64')], 'example.jpg', { type: 'image/jpeg' }))
    edit.set('prompt', '换一个风格')
    edit.set('model', 'gemini-3-fast-imagen')
    expect((await post('/gemini_official/v1/images/edits', edit)).status).toBe(200)
    expect(upstream.requests[1]?.contents[0]?.parts).toEqual([picture(), { text: '换一个风格' }])
  })

  it('answers the small routes with a plain list', async () => {
    const { post, upstream } = connect()
    expect((await post('/v1/generate-images', { prompt: 'a beautiful sunset over the ocean' })).body).toEqual({
      images: [PNG],
    })
    const byUrl = connect([
      partsChunk([{ fileData: { fileUri: 'https://cdn.example/a.png', mimeType: 'image/png' } }]),
      finalChunk('STOP'),
    ])
    const generated = await byUrl.post('/v1/generate-images', { prompt: 'a cute cat', response_type: 'url' })
    expect(generated.body).toEqual({ images: ['https://cdn.example/a.png'] })
    expect(byUrl.upstream.options[0]?.media).toEqual({ delivery: 'url' })
    const edit = { prompt: '将背景改为蓝色天空', image: `data:image/png;base64,${PNG}` }
    const edited = await post('/v1/images/edit', edit)
    expect(edited.body).toMatchObject({ images: [PNG], data: [{ b64_json: PNG }] })
    expect(upstream.requests.at(-1)?.contents[0]?.parts).toEqual([picture(), { text: '将背景改为蓝色天空' }])
    const listed = await byUrl.post('/v1/images/edits', { ...edit, image: [edit.image], response_type: 'url' })
    expect(listed.body).toMatchObject({
      images: ['https://cdn.example/a.png'],
      data: [{ url: 'https://cdn.example/a.png' }],
    })
  })

  it('keeps remote pictures as references and reports them by their field', async () => {
    const url = 'https://example.com/missing.png'
    const { post, upstream } = connect((_, call) =>
      call === 1 ? DRAWN : [new GenerationError('invalid_request', 'The file is missing.', { fileUri: url })],
    )
    const body = { prompt: 'Blue', images: [{ image_url: url }] }
    expect((await post('/v1/images/edits', body)).status).toBe(200)
    expect(upstream.requests[0]?.contents[0]?.parts?.[0]).toEqual({ fileData: { fileUri: url } })
    expect(await post('/v1/images/edits', body)).toMatchObject({
      status: 400,
      body: { error: { param: 'images[0].image_url', code: 'invalid_image_url' } },
    })
  })

  it('sends base64 with a warning where there is no store for URLs', async () => {
    const { post } = connect()
    const { body, headers } = await post('/v1/images/generations', { prompt: 'A cat', response_format: 'url' })
    expect(body['data']).toEqual([{ b64_json: PNG }])
    expect(headers.get('x-castor-warnings')).toBe(
      'response_format: There is no store to serve URLs from; base64 was sent.',
    )
  })
})

describe('bad input', () => {
  const form = (entries: Record<string, string | File>) => {
    const body = new FormData()
    for (const [name, value] of Object.entries(entries)) body.set(name, value)
    return body
  }
  const image = `data:image/png;base64,${PNG}`
  it.each([
    ['no prompt', '/v1/images/generations', {}, 'prompt'],
    ['an empty prompt', '/v1/images/generations', { prompt: '' }, 'prompt'],
    ['a prompt without end', '/v1/images/generations', { prompt: 'x'.repeat(32_001) }, 'prompt'],
    ['none', '/v1/images/generations', { prompt: 'x', n: 0 }, 'n'],
    ['too many', '/v1/images/generations', { prompt: 'x', n: 11 }, 'n'],
    ['a number that is none', '/v1/images/generations', form({ prompt: 'x', n: 'two' }), 'n'],
    ['a size that is none', '/v1/images/generations', { prompt: 'x', size: 'huge' }, 'size'],
    ['a size out of range', '/v1/images/generations', { prompt: 'x', size: '99999x1' }, 'size'],
    ['an unknown format', '/v1/images/generations', { prompt: 'x', output_format: 'gif' }, 'output_format'],
    ['an unknown way', '/v1/images/generations', { prompt: 'x', response_format: 'fax' }, 'response_format'],
    ['an unknown quality', '/v1/images/generations', { prompt: 'x', quality: 'best' }, 'quality'],
    ['a wish that is no flag', '/v1/images/generations?remove_watermark=maybe', { prompt: 'x' }, 'remove_watermark'],
    ['no picture', '/v1/images/edits', { prompt: 'x' }, 'image'],
    ['a mask', '/v1/images/edits', { prompt: 'x', image, mask: image }, 'mask'],
    ['a mask file', '/v1/images/edits', form({ prompt: 'x', image, mask: new File(['x'], 'm.png') }), 'mask'],
    ['a picture of no URL', '/v1/images/edits', { prompt: 'x', image: 'a.png' }, 'image'],
    ['a file that is no picture', '/v1/images/edits', { prompt: 'x', image: ['data:;base64,SGVsbG8='] }, 'image[0]'],
    ['broken base64', '/v1/images/edits', { prompt: 'x', image: [{ b64_json: '@' }] }, 'image[0].b64_json'],
    ['a stored file', '/v1/images/edits', { prompt: 'x', images: [{ file_id: 'f' }] }, 'images[0].file_id'],
  ])('refuses %s, by its field', async (_, path, body, param) => {
    const { post, upstream } = connect()
    const answer = await post(path, body)
    expect([answer.status, (answer.body['error'] as { param: string }).param]).toEqual([400, param])
    expect(upstream.requests).toHaveLength(0)
  })

  it('reads JSON whatever its label', async () => {
    const handler = createOpenAIHandler({ generator: scriptedGenerator(DRAWN), authorize: 'anyone' })
    const answer = await handler(
      new Request('http://castor.test/v1/images/generations', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: '{"prompt":"A cat"}',
      }),
    )
    expect(answer.status).toBe(200)
  })

  it('refuses a form that is none', async () => {
    const handler = createOpenAIHandler({ generator: scriptedGenerator([]), authorize: 'anyone' })
    const answer = await handler(
      new Request('http://castor.test/v1/images/edits', {
        method: 'POST',
        headers: { 'content-type': 'multipart/form-data' },
        body: 'prompt=x',
      }),
    )
    expect(answer.status).toBe(400)
  })
})

it('finds the nearest shape and size', () => {
  const shapes = ['1024x1024', '1536x1024', '1024x1536', '1792x1024', '1024x1792', '256x256', '3000x1000', '1x8000']
  const sizes = shapes.map((size) => {
    const [width = 0, height = 0] = size.split('x').map(Number)
    return { width, height }
  })
  expect(sizes.map(nearestAspectRatio)).toEqual(['1:1', '3:2', '2:3', '16:9', '9:16', '1:1', '21:9', '9:16'])
  expect(sizes.map(sizeClass)).toEqual(['1K', '1K', '1K', '2K', '2K', '1K', '4K', '4K'])
})
