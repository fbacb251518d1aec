import { finalChunk, partsChunk, textPart } from '@castorjs/content-generator'
import { scriptedGenerator } from '@castorjs/testkit'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { createOpenAIHandler } from './handler.ts'

function connect(
  script: Parameters<typeof scriptedGenerator>[0],
  options: Parameters<typeof scriptedGenerator>[1] = {},
) {
  const upstream = scriptedGenerator(script, options)
  const handler = createOpenAIHandler({ generator: upstream, authorize: 'anyone' })
  const client = new OpenAI({
    apiKey: 'test',
    baseURL: 'http://castor.test/v1',
    maxRetries: 0,
    fetch: (url, init) => handler(new Request(url, init)),
  })
  return { upstream, client }
}

describe('embeddings', () => {
  const values = [0.5, -1, 0.25]
  const embed = (requests: readonly unknown[]) => ({ embeddings: requests.map(() => ({ values })) })

  it('reach the SDK, which asks for base64, and those who want numbers (row 56)', async () => {
    const { client } = connect([], { embed })
    const model = 'gemini-embedding-2'
    const packed = await client.embeddings.create({ model, input: ['one', 'two'] })
    expect(packed.data.map((item) => [item.index, item.embedding])).toEqual([
      [0, values],
      [1, values],
    ])
    expect(packed.usage).toEqual({ prompt_tokens: 2, total_tokens: 2 })
    const plain = await client.embeddings.create({ model, input: 'one', encoding_format: 'float' })
    expect(plain.data).toEqual([{ object: 'embedding', index: 0, embedding: values }])
  })

  it('hand dimensions on', async () => {
    const seen: unknown[] = []
    const { client } = connect([], {
      embed: (requests) => {
        seen.push(...requests)
        return embed(requests)
      },
    })
    await client.embeddings.create({ model: 'gemini-embedding-2', input: 'one', dimensions: 3 })
    expect(seen).toEqual([
      {
        model: 'gemini-embedding-2',
        content: { role: 'user', parts: [{ text: 'one' }] },
        outputDimensionality: 3,
      },
    ])
  })

  it.each([
    ['token numbers', [1, 2, 3]],
    ['nothing', []],
    ['an empty text', ''],
  ])('refuse %s', async (_, input) => {
    const { client } = connect([], { embed })
    await expect(client.embeddings.create({ model: 'm', input })).rejects.toMatchObject({
      status: 400,
      param: expect.stringMatching(/^input/) as string,
    })
  })

  it('are refused where the upstream has none', async () => {
    await expect(connect([]).client.embeddings.create({ model: 'm', input: 'x' })).rejects.toMatchObject({
      status: 400,
      code: 'unsupported_parameter',
    })
  })
})

describe('speech', () => {
  const SPOKEN = [
    partsChunk([{ inlineData: { mimeType: 'audio/L16;codec=pcm;rate=16000', data: 'AAEC' } }]),
    partsChunk([{ inlineData: { mimeType: 'audio/L16;codec=pcm;rate=16000', data: 'AwQF' } }]),
    finalChunk('STOP'),
  ]
  const speech = { model: 'gemini-2.5-flash-preview-tts', input: 'Good evening', voice: 'alloy' }

  it('comes as WAV, or as samples (row 60)', async () => {
    const { client, upstream } = connect(SPOKEN)
    const wav = await client.audio.speech.create({ ...speech, instructions: 'Say calmly' })
    expect(wav.headers.get('content-type')).toBe('audio/wav')
    const bytes = Buffer.from(await wav.arrayBuffer())
    expect([bytes.toString('latin1', 0, 4), bytes.readUInt32LE(24), bytes.length]).toEqual(['RIFF', 16_000, 50])
    const pcm = await client.audio.speech.create({ ...speech, response_format: 'pcm' })
    expect([...new Uint8Array(await pcm.arrayBuffer())]).toEqual([0, 1, 2, 3, 4, 5])
    expect(upstream.requests[0]).toEqual({
      model: speech.model,
      contents: [{ role: 'user', parts: [{ text: 'Say calmly: Good evening' }] }],
      generationConfig: {
        responseModalities: ['AUDIO'],
        speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: 'Kore' } } },
      },
    })
  })

  it('is refused in formats nobody here can write, and where the model only talks', async () => {
    const mp3 = connect(SPOKEN).client.audio.speech.create({ ...speech, response_format: 'mp3' })
    await expect(mp3).rejects.toMatchObject({ status: 400, param: 'response_format' })
    const words = connect([partsChunk([textPart('Hm')]), finalChunk('STOP')]).client.audio.speech.create(speech)
    await expect(words).rejects.toMatchObject({ status: 400, param: 'model' })
  })
})
