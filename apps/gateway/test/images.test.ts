import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readPngChunks } from '../src/media/png-chunks.ts'
import { createSketchbook, difference, meanDifference, open } from './pictures.ts'
import { startStack, type Stack } from './stack.ts'

const sketches = createSketchbook()
let stack: Stack
let openai: OpenAI
beforeAll(async () => {
  stack = await startStack({ drawMark: sketches.drawMark })
  openai = new OpenAI({ baseURL: `${stack.gateway.url}/v1`, apiKey: 'none', maxRetries: 0 })
})
afterAll(() => stack.close())

const bytesOf = (base64: string | undefined): Uint8Array => Buffer.from(base64 ?? '', 'base64')
const size = ({ width, height }: { width: number; height: number }): string => `${width}x${height}`

async function post(
  path: string,
  body: object | FormData,
): Promise<{ status: number; headers: Headers; body: Answer }> {
  const response = await fetch(stack.gateway.url + path, {
    method: 'POST',
    ...(body instanceof FormData
      ? { body }
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer }
}

interface Answer {
  data?: { b64_json?: string; url?: string }[]
  images?: string[]
  output_format?: string
  size?: string
  error?: { message: string; param: string | null; code: string | null }
  choices?: { message: { content: string; images?: { image_url: { url: string } }[] } }[]
}

function form(entries: Record<string, string | File>): FormData {
  const body = new FormData()
  for (const [name, value] of Object.entries(entries)) body.set(name, value)
  return body
}

const prompt = 'Draw a picture of a lighthouse'

describe('the openai SDK draws', () => {
  it('a preview by default, as it comes', async () => {
    const { data, output_format } = await openai.images.generate({ prompt })
    const picture = await open(bytesOf(data?.[0]?.b64_json))
    expect([size(picture), output_format]).toEqual(['1024x1024', 'jpeg'])
    expect(meanDifference(picture, sketches.of(1024, 1024).marked)).toBeLessThan(3)
  })

  it.each([
    ['gemini-2.5-flash-image', '1024x1024'],
    ['gemini-3-pro-image-preview', '1536x1024'],
    ['gemini-2.5-flash-imagen', '1024x1792'],
  ])('%s at %s, exactly', async (model, wanted) => {
    const answer = await openai.images.generate({ prompt, model, size: wanted as '1024x1024' })
    expect(size(await open(bytesOf(answer.data?.[0]?.b64_json)))).toBe(wanted)
    expect(answer.size).toBe(wanted)
  })

  it('several, each of its own', async () => {
    const { data = [] } = await openai.images.generate({ prompt, n: 3 })
    expect(data).toHaveLength(3)
    for (const { b64_json } of data) expect(size(await open(bytesOf(b64_json)))).toBe('1024x1024')
  })

  it.each([
    ['png', Buffer.from('89504e47', 'hex')],
    ['jpeg', Buffer.from('ffd8ff', 'hex')],
  ] as const)('in the file format asked for: %s', async (output_format, start) => {
    const answer = await openai.images.generate({ prompt, output_format })
    const bytes = bytesOf(answer.data?.[0]?.b64_json)
    expect([answer.output_format, Buffer.from(bytes.subarray(0, start.length))]).toEqual([output_format, start])
    expect(size(await open(bytes))).toBe('1024x1024')
  })

  it('and says so when it cannot write a format', async () => {
    const { body, headers } = await post('/v1/images/generations', { prompt, output_format: 'webp' })
    expect(body.output_format).toBe('jpeg')
    expect(headers.get('x-castor-warnings')).toContain('webp')
  })

  it('behind a URL that serves the same bytes, also in part', async () => {
    const { data } = await openai.images.generate({ prompt, response_format: 'url' })
    const url = data?.[0]?.url ?? ''
    expect(url.startsWith(`${stack.gateway.url}/media/`)).toBe(true)
    const whole = await fetch(url)
    expect([whole.status, whole.headers.get('content-type')]).toEqual([200, 'image/jpeg'])
    const bytes = new Uint8Array(await whole.arrayBuffer())
    expect(size(await open(bytes))).toBe('1024x1024')
    const part = await fetch(url, { headers: { range: 'bytes=100-199' } })
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 100-199/${bytes.length}`])
    expect(Buffer.from(await part.arrayBuffer())).toEqual(Buffer.from(bytes.subarray(100, 200)))
    expect((await fetch(url.replace(/signature=./, 'signature=_'))).status).toBe(403)
  })

  it('as a stream', async () => {
    const stream = await openai.images.generate({ prompt, stream: true, partial_images: 2 })
    const events = []
    for await (const event of stream) events.push(event)
    expect(events.map(({ type }) => type)).toEqual(['image_generation.completed'])
    expect(size(await open(bytesOf(events[0]?.b64_json)))).toBe('1024x1024')
  })

  it('edits of one file and of several, and streams them', async () => {
    const original = bytesOf((await openai.images.generate({ prompt })).data?.[0]?.b64_json)
    const image = await toFile(original, 'example.jpg', { type: 'image/jpeg' })
    const one = await openai.images.edit({ prompt: 'Make the sky green', image })
    const several = await openai.images.edit({ prompt: 'Make one of two', image: [image, image] })
    for (const { data } of [one, several]) expect(size(await open(bytesOf(data?.[0]?.b64_json)))).toBe('1024x1024')
    const types: string[] = []
    for await (const event of await openai.images.edit({ prompt: 'Blue', image, stream: true })) types.push(event.type)
    expect(types).toEqual(['image_edit.completed'])
    const uploads = stack.emulator.emulator.controls.requests.filter(({ host }) => host.includes('push'))
    expect(uploads.length).toBeGreaterThan(0)
  })

  it('raises the words of a refusal', async () => {
    stack.emulator.emulator.controls.answer({ text: 'I cannot draw real people.' })
    await expect(openai.images.generate({ prompt: 'Draw a famous person' })).rejects.toMatchObject({
      status: 400,
      code: 'content_policy_violation',
      error: { message: 'I cannot draw real people.' },
    })
  })
})

describe('originals and the visible mark', () => {
  const query = (wishes: Record<string, string>): string =>
    `/v1/images/generations?${new URLSearchParams(wishes).toString()}`

  async function draw(wishes: Record<string, string>, words = prompt, model = 'gemini-3-pro-image-preview') {
    const { status, body, headers } = await post(query(wishes), { prompt: words, model })
    expect([status, body.error]).toEqual([200, undefined])
    const file = bytesOf(body.data?.[0]?.b64_json)
    return { file, picture: await open(file), warnings: headers.get('x-castor-warnings') ?? '' }
  }

  it('sends the original byte for byte: the pixels of the emulator, mark and all', async () => {
    const { picture } = await draw({ return_origin_image: 'true' })
    expect(difference(picture, sketches.of(1024, 1024).marked).count).toBe(0)
  })

  it.each([
    ['1K', 'Draw a harbour, 1:1', 1024, 1024, 48, 96],
    ['1K upright', 'Draw a harbour, 9:16', 768, 1376, 48, 96],
    ['2K square', 'Draw a harbour in 2K', 2048, 2048, 48, 96],
    ['2K wide', 'Draw a harbour in 2K, 16:9', 2816, 1536, 96, 192],
  ])('removes the mark of a %s original and touches nothing else', async (_, words, width, height, mark, margin) => {
    const { file, picture, warnings } = await draw({ return_origin_image: 'true', remove_watermark: 'true' }, words)
    expect([size(picture), warnings]).toEqual([`${width}x${height}`, ''])
    const { plain, marked } = sketches.of(width, height)
    const left = width - margin - mark
    const top = height - margin - mark
    const changed = difference(picture, marked)
    expect(changed.count).toBeGreaterThan(500)
    expect(changed.box.left).toBeGreaterThanOrEqual(left)
    expect(changed.box.top).toBeGreaterThanOrEqual(top)
    expect(changed.box.right).toBeLessThan(left + mark)
    expect(changed.box.bottom).toBeLessThan(top + mark)
    expect(difference(picture, plain).worst).toBeLessThanOrEqual(2)
    // Everything that was said about the picture is still said, and that a model made it.
    const text = Buffer.from(file).toString('latin1')
    expect([...readPngChunks(file)].map(({ type }) => type).filter((type) => type !== 'IDAT')).toEqual([
      'IHDR',
      'caBX',
      'tEXt',
      'tEXt',
      'iTXt',
      'IEND',
    ])
    expect(text).toContain('Added visible watermark')
    expect(text).toContain('http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia')
  })

  it('takes the mark off a preview, too', async () => {
    const { picture } = await draw({ remove_watermark: 'true' })
    const { plain, marked } = sketches.of(1024, 1024)
    expect(meanDifference(picture, plain)).toBeLessThan(meanDifference(marked, plain) + 3)
  })

  it('takes the mark off before resizing, from the original', async () => {
    const { picture, file, warnings } = await draw(
      { remove_watermark: 'true', size: '1920x1080' },
      'Draw a harbour in 2K',
    )
    expect([size(picture), warnings]).toEqual(['1920x1080', ''])
    const { plain } = sketches.of(2816, 1536)
    // The corner where the mark was: nothing brighter than in a picture resized from the unmarked one.
    const scale = Math.max(1920 / plain.width, 1080 / plain.height)
    let worst = 0
    for (let y = -100; y < 0; y++) {
      for (let x = -100; x < 0; x++) {
        const [cx, cy] = [plain.width - 192 - 48 + x / 2 + 25, plain.height - 192 - 48 + y / 2 + 25]
        const tx = Math.round((cx - plain.width / 2) * scale + 960)
        const ty = Math.round((cy - plain.height / 2) * scale + 540)
        const want = plain.data[(Math.round(cy) * plain.width + Math.round(cx)) * 4] ?? 0
        worst = Math.max(worst, Math.abs((picture.data[(ty * 1920 + tx) * 4] ?? 0) - want))
      }
    }
    expect(worst).toBeLessThan(24)
    expect(Buffer.from(file).toString('latin1')).toContain('trainedAlgorithmicMedia')
  })

  it('makes any size without distortion, and says when it had to enlarge', async () => {
    const { picture, warnings } = await draw({ size: '2000x500' }, prompt, 'gemini-2.5-flash-image')
    expect(size(picture)).toBe('2000x500')
    expect(warnings).toContain('enlarged from 1584x672 to 2000x500')
  })

  it.each([
    ['gemini-3-pro-image-preview-2k', '2048x2048'],
    ['gemini-3-pro-image-preview-4k', '4096x4096'],
  ])('%s is the original when it is large enough', async (model, wanted) => {
    const { picture, warnings } = await draw({}, prompt, model)
    expect([size(picture), warnings]).toEqual([wanted, ''])
    expect(difference(picture, sketches.of(picture.width, picture.height).marked).count).toBe(0)
  })

  it('and is resized, and says so, when it is not', async () => {
    const { picture, warnings } = await draw({}, 'Draw exactly 640x480 of sea', 'gemini-3-pro-image-preview-2k')
    expect(size(picture)).toBe('2048x1536')
    expect(warnings).toContain('enlarged from 640x480 to 2048x1536')
  })
})

describe('the reference documents, as written', () => {
  const jpeg = async (): Promise<File> => {
    const { data } = await openai.images.generate({ prompt })
    return new File([bytesOf(data?.[0]?.b64_json) as Uint8Array<ArrayBuffer>], 'example.jpg', { type: 'image/jpeg' })
  }

  it.each(['gemini-2.5-flash-imagen', 'gemini-3-fast-imagen'])('000, 001: forms with %s', async (model) => {
    const made = await post('/gemini_official/v1/images/generations', form({ prompt: '画小猫', model }))
    const edited = await post(
      '/gemini_official/v1/images/edits',
      form({ 'image[]': await jpeg(), prompt: '换一个风格', model }),
    )
    for (const { body } of [made, edited]) {
      expect(size(await open(bytesOf(body.data?.[0]?.b64_json)))).toBe('1024x1024')
    }
  })

  it('000: chat with a picture, streamed, with both switches', async () => {
    const response = await fetch(
      `${stack.gateway.url}/gemini_official/v1/chat/completions?return_origin_image=true&remove_watermark=true`,
      {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: 'none' },
        body: '{ "messages": [{"role": "user", "content": "画一只小猫"}], "model": "gemini-2.5-flash-imagen", "stream": true }',
      },
    )
    const deltas = [...(await response.text()).matchAll(/^data: (\{.*)$/gm)].map(
      ([, json]) => (JSON.parse(json ?? '') as { choices: { delta: { content?: string } }[] }).choices[0]?.delta,
    )
    const content = deltas.map((delta) => delta?.content ?? '').join('')
    const url = /!\[image\]\(data:image\/png;base64,([^)]+)\)/.exec(content)?.[1]
    const picture = await open(bytesOf(url))
    expect(difference(picture, sketches.of(1024, 1024).plain).worst).toBeLessThanOrEqual(2)
  })

  it('001: size in the query', async () => {
    const { body } = await post('/gemini_official/v1/chat/completions?size=1920x1080&response_type=url', {
      model: 'gemini-3-pro-imagen',
      messages: [{ role: 'user', content: '画一只小猫' }],
    })
    const message = body.choices?.[0]?.message
    const url = message?.images?.[0]?.image_url.url ?? ''
    expect(message?.content).toContain(`![image](${url})`)
    expect(size(await open(new Uint8Array(await (await fetch(url)).arrayBuffer())))).toBe('1920x1080')
  })

  it('002: the image model of the official API through the web app', async () => {
    const { body } = await post('/v1/chat/completions', {
      messages: [{ role: 'user', content: '画小猫' }],
      model: 'gemini-2.0-flash-exp-image-generation',
    })
    const url = body.choices?.[0]?.message.images?.[0]?.image_url.url ?? ''
    expect(size(await open(bytesOf(url.split(',')[1])))).toBe('1024x1024')
  })

  it('004: the small routes', async () => {
    const sunset = await post('/v1/generate-images', { prompt: 'a beautiful sunset over the ocean' })
    expect(size(await open(bytesOf(sunset.body.images?.[0])))).toBe('1024x1024')
    const cat = await post('/v1/generate-images', { prompt: 'a cute cat', response_type: 'url' })
    expect(size(await open(new Uint8Array(await (await fetch(cat.body.images?.[0] ?? '')).arrayBuffer())))).toBe(
      '1024x1024',
    )
    const image = `data:image/jpeg;base64,${sunset.body.images?.[0]}`
    for (const path of ['/v1/images/edit', '/v1/images/edits']) {
      const edited = await post(path, { prompt: '将背景改为蓝色天空', image, response_type: 'url' })
      const url = edited.body.images?.[0] ?? ''
      expect(size(await open(new Uint8Array(await (await fetch(url)).arrayBuffer())))).toBe('1024x1024')
    }
  })

  it('offers a name that draws for every web model', async () => {
    const names = new Set<string>()
    for await (const { id } of openai.models.list()) names.add(id)
    for (const name of ['gemini-2.5-flash', 'gemini-2.5-pro', 'gemini-3-fast', 'gemini-3-thinking', 'gemini-3-pro']) {
      expect(names).toContain(`${name}-imagen`)
    }
    for (const name of ['gemini-2.5-flash-image', 'gemini-3-pro-image-preview', 'gemini-3-pro-image-preview-4k']) {
      expect(names).toContain(name)
    }
  })
})

describe('Gemini native', () => {
  it('answers with inlineData, and minds the query', async () => {
    const path = '/v1beta/models/gemini-2.5-flash-image:generateContent'
    const body = { contents: [{ role: 'user', parts: [{ text: prompt }] }] }
    const response = await fetch(`${stack.gateway.url}${path}?size=512x512&remove_watermark=true`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const answer = (await response.json()) as {
      candidates: { content: { parts: { inlineData?: { mimeType: string; data: string } }[] } }[]
    }
    const part = answer.candidates[0]?.content.parts.find(({ inlineData }) => inlineData !== undefined)
    expect(part?.inlineData?.mimeType).toBe('image/jpeg')
    expect(size(await open(bytesOf(part?.inlineData?.data)))).toBe('512x512')
  })
})
