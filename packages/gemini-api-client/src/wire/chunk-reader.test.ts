import { rawJson, type GenerateContentResponse } from '@castorjs/content-generator'
import { CUT_SIZES, cutBytes } from '@castorjs/testkit'
import { describe, expect, it } from 'vitest'
import { createChunkReader, type ChunkReaderOptions } from './chunk-reader.ts'

const text = (words: string): GenerateContentResponse => ({
  candidates: [{ content: { role: 'model', parts: [{ text: words }] } }],
})
const END: GenerateContentResponse = { candidates: [{ finishReason: 'STOP' }] }
const encode = (body: string): Uint8Array => new TextEncoder().encode(body)

function read(body: string, size = Infinity, options: ChunkReaderOptions = {}): GenerateContentResponse[] {
  const bytes = encode(body)
  const reader = createChunkReader(options)
  const pieces = size === Infinity ? [bytes] : cutBytes(bytes, size)
  return [...pieces.flatMap((piece) => [...reader.push(piece)]), ...reader.finish()]
}

describe('createChunkReader', () => {
  const first = JSON.stringify(text('你好👋'))
  const body = `: hello\n\ndata: ${first}\r\n\r\ndata:${JSON.stringify(text('b'))}\n\nevent: x\rdata: ${JSON.stringify(END)}\r\r`

  it.each([...CUT_SIZES, Infinity])('reads the same when the network cuts every %d bytes', (size) => {
    expect(read(body, size)).toEqual([text('你好👋'), text('b'), END])
  })

  it('remembers the letters a chunk came in', () => {
    const [chunk = {}] = read('data: {"candidates" : [{"finishReason":"STOP"}]}\n\n')
    expect(rawJson(chunk)).toBe('{"candidates" : [{"finishReason":"STOP"}]}')
  })

  it('joins the lines of an event, and takes a last one that nothing ends', () => {
    expect(read('data: {"candidates":\ndata: [{"finishReason":"STOP"}]}')).toEqual([END])
  })

  it('takes answers out of an envelope, and skips events without one', () => {
    const unwrap = (event: Record<string, unknown>) => event.response as GenerateContentResponse | undefined
    const wrapped = `data: {"traceId":"t"}\n\ndata: ${JSON.stringify({ response: END, traceId: 't' })}\n\n`
    expect(read(wrapped, Infinity, { unwrap })).toEqual([END])
  })

  it.each([
    ['ends without a finish reason', `data: ${first}\n\n`, 'upstream_unavailable'],
    ['is empty', '', 'upstream_unavailable'],
    ['holds no JSON', 'data: [DONE]\n\n', 'protocol_drift'],
    ['holds a number', 'data: 5\n\n', 'protocol_drift'],
    ['holds an error', 'data: {"error":{"code":503,"status":"UNAVAILABLE"}}\n\n', 'upstream_unavailable'],
    ['holds an error in an array', 'data: [{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}]\n\n', 'rate_limited'],
  ])('fails when the stream %s', (_, wrong, code) => {
    expect(() => read(wrong)).toThrow(expect.objectContaining({ code }))
  })

  it('hands out what came before a failure, even in one piece', () => {
    const chunks = createChunkReader()
      .push(encode(`data: ${first}\n\ndata: {"error":{"code":503}}\n\n`))
      [Symbol.iterator]()
    expect(chunks.next().value).toEqual(text('你好👋'))
    expect(() => chunks.next()).toThrow(expect.objectContaining({ code: 'upstream_unavailable' }))
  })

  it('lets a refused prompt end without a finish reason', () => {
    const refused = { promptFeedback: { blockReason: 'SAFETY' } }
    expect(read(`data: ${JSON.stringify(refused)}\n\n`)).toEqual([refused])
  })
})
