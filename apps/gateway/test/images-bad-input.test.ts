import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startStack, type Stack } from './stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack.close())

async function post(path: string, body: object | FormData) {
  const response = await fetch(stack.gateway.url + path, {
    method: 'POST',
    ...(body instanceof FormData
      ? { body }
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  const { error } = (await response.json()) as { error?: { message: string; param: string | null } }
  return { status: response.status, param: error?.param, message: error?.message ?? '' }
}

const upload = (bytes: Uint8Array<ArrayBuffer>, type = 'image/png'): FormData => {
  const form = new FormData()
  form.set('prompt', 'Make it blue')
  form.set('image', new File([bytes], 'a.png', { type }))
  return form
}
const prompt = 'Draw a cat'
const generations = '/v1/images/generations'
const edits = '/v1/images/edits'

describe('wrong image requests are refused by their field, before anything is drawn', () => {
  it.each([
    ['a size that is none', generations, { prompt, size: 'wide' }, 'size', /width.*height/],
    ['a side of nothing', generations, { prompt, size: '0x512' }, 'size', /8192/],
    ['a side too long', generations, { prompt, size: '512x9000' }, 'size', /8192/],
    ['a size in the query', `${generations}?size=-1x5`, { prompt }, 'size', /1024x1024/],
    ['no pictures', generations, { prompt, n: 0 }, 'n', /1/],
    ['too many pictures', generations, { prompt, n: 11 }, 'n', /10/],
    ['half a picture', generations, { prompt, n: 1.5 }, 'n', /whole/],
    ['a flag that is none', `${generations}?remove_watermark=yes`, { prompt }, 'remove_watermark', /true.*false/],
    ['an origin flag that is none', generations, { prompt, return_origin_image: 'x' }, 'return_origin_image', /true/],
    ['an unknown answer', '/v1/generate-images', { prompt, response_type: 'fax' }, 'response_type', /url.*base64/],
    ['an empty file', edits, upload(new Uint8Array()), 'image', /empty/],
    ['a text with the label of a picture', edits, upload(new TextEncoder().encode('hello there')), 'image', /picture/],
    ['a file of unknown bytes', edits, upload(new Uint8Array([1, 2, 3, 0, 0, 7])), 'image', /type/],
    ['a stump of a picture', edits, upload(new Uint8Array(Buffer.from('89504e470d0a', 'hex'))), 'image', /type/],
    ['a mask', edits, { prompt, image: 'data:image/png;base64,iVBORw0KGgo=', mask: 'x' }, 'mask', /words/],
  ])('%s', async (_, path, body, param, message) => {
    const before = stack.emulator.emulator.controls.requests.length
    const answer = await post(path, body)
    expect([answer.status, answer.param]).toEqual([400, param])
    expect(answer.message).toMatch(message)
    expect(stack.emulator.emulator.controls.requests).toHaveLength(before)
  })

  it('believes the bytes and not the label', async () => {
    const drawn = await fetch(stack.gateway.url + '/v1/generate-images', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'Draw a 320x240 boat' }),
    })
    const { images } = (await drawn.json()) as { images: string[] }
    const bytes = new Uint8Array(Buffer.from(images[0] ?? '', 'base64'))
    expect((await post(edits, upload(bytes, 'image/png'))).status).toBe(200)
  })
})
