import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  buildBatchRequest,
  buildForm,
  encodeBatchReply,
  encodeErrorReply,
  encodePayload,
  findResult,
  readBatchReply,
  readBatchRequest,
  readEntry,
  readForm,
  readXsrfToken,
  refusalEntry,
} from './envelope.ts'

describe('entries', () => {
  it.each([
    [['wrb.fr', null, '[1]'], { type: 'message', payload: '[1]' }],
    [
      ['wrb.fr', 'otAQ7b', '[]', null, null, null, 'generic'],
      { type: 'rpc', id: 'otAQ7b', payload: '[]', slot: 'generic' },
    ],
    [refusalEntry({ status: 8, code: 1037 }), { type: 'refusal', id: null, status: 8, code: 1037 }],
    [refusalEntry({ id: 'c8o8Fe', status: 7 }), { type: 'refusal', id: 'c8o8Fe', slot: 'generic', status: 7 }],
    [['wrb.fr', null, null], { type: 'refusal', id: null, status: 0 }],
    [['di', 87], { type: 'server-time', ms: 87 }],
    [['e', 4, null, null, 216], { type: 'end', entries: 4, bytes: 216 }],
    [['af.httprm', 1, '-42', 3], { type: 'other', tag: 'af.httprm' }],
    ['nonsense', { type: 'other', tag: '' }],
  ])('reads %j', (entry, read) => {
    expect(readEntry(entry)).toEqual(read)
  })

  it('escapes payloads as the upstream does', () => {
    expect(encodePayload(['a<b> & c=d'])).toBe('["a\\u003cb\\u003e \\u0026 c\\u003dd"]')
  })
})

describe('batchexecute', () => {
  it('writes and reads calls', () => {
    const calls = [
      { id: 'CNgdBe', payload: [3, ['en'], 0], slot: 'system' },
      { id: 'CNgdBe', payload: [2, ['en'], 0], slot: 'custom' },
      { id: 'otAQ7b', payload: [], slot: 'generic' },
    ]
    expect(readBatchRequest(buildBatchRequest(calls))).toEqual(calls)
    expect(buildBatchRequest([{ id: 'otAQ7b', payload: [] }])).toBe('[[["otAQ7b","[]",null,"generic"]]]')
  })

  it.each(['', 'x', '[]', '[null,"x"]', '[[]]', '[[["otAQ7b"]]]', '["otAQ7b"]'])('calls %j malformed', (fReq) => {
    expect(readBatchRequest(fReq)).toBeUndefined()
  })

  it.each([
    [true, true],
    [true, false],
    [false, true],
  ])('reads its own replies (framed %j, together %j)', (framed, together) => {
    const body = encodeBatchReply(
      [
        { id: 'CNgdBe', payload: ['🇯🇵 <b>'], slot: 'custom' },
        { id: 'CNgdBe', payload: [], slot: 'system' },
        { id: 'c8o8Fe', refusal: { status: 3, code: 1003 } },
      ],
      { framed, together },
    )
    const reply = readBatchReply(new TextEncoder().encode(body))
    expect(reply).toEqual({
      complete: framed,
      results: [
        { id: 'CNgdBe', slot: 'custom', payload: ['🇯🇵 <b>'] },
        { id: 'CNgdBe', slot: 'system', payload: [] },
        { id: 'c8o8Fe', slot: 'generic', payload: undefined, refusal: { status: 3, code: 1003 } },
      ],
    })
    expect(findResult(reply, 'CNgdBe', 'system')?.payload).toEqual([])
    expect(findResult(reply, 'nothing')).toBeUndefined()
  })

  it('reads payloads of any content back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (payload) => {
        const sent: unknown = JSON.parse(JSON.stringify([payload]))
        expect(readBatchReply(encodeBatchReply([{ id: 'x', payload: sent }])).results[0]?.payload).toEqual(sent)
      }),
      { numRuns: 100 },
    )
  })
})

describe('errors of a whole request', () => {
  it('carries a fresh token', () => {
    const body = encodeErrorReply({ status: 400, code: 3, xsrfToken: 'AD:1790000000000' })
    expect(readXsrfToken(body)).toBe('AD:1790000000000')
    expect(readBatchReply(body)).toEqual({
      results: [],
      complete: true,
      error: { status: 400, code: 3, xsrfToken: 'AD:1790000000000' },
    })
  })

  it.each(['', '<html>', encodeErrorReply({ status: 400, code: 3 })])('has none in %j', (body) => {
    expect(readXsrfToken(body)).toBeUndefined()
  })
})

describe('form', () => {
  it('survives anything in the fields', () => {
    const fReq = '[null,"a&b=c+d %🇯🇵"]'
    expect(readForm(buildForm({ fReq, token: 'AD_-:179' }))).toEqual({ fReq, token: 'AD_-:179' })
    expect(readForm(buildForm({ fReq }))).toEqual({ fReq })
    expect(readForm('at=&x=1')).toEqual({})
  })
})
