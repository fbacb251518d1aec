import { describe, expect, it } from 'vitest'
import { buildPrompt, buildPromptForm, fileKind, PROMPT_LENGTH, readPrompt, readPromptForm } from './prompt.ts'

const requestId = 'AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE'

/** Slots that are not null. */
function filled(inner: readonly unknown[]): Record<number, unknown> {
  return Object.fromEntries(inner.flatMap((value, index) => (value === null ? [] : [[index, value]])))
}

describe('buildPrompt', () => {
  it('fills the slots of a plain turn as the September 2026 request does', () => {
    const inner = buildPrompt({
      prompt: 'When does water boil?',
      requestId,
      nonce: '0123456789abcdef0123456789abcdef',
      mode: 1,
    })
    expect(inner).toHaveLength(PROMPT_LENGTH)
    expect(filled(inner)).toEqual({
      0: ['When does water boil?', 0, null, null, null, null, 0],
      1: ['en'],
      2: ['', '', '', null, null, null, null, null, null, ''],
      4: '0123456789abcdef0123456789abcdef',
      6: [1],
      7: 1,
      10: 1,
      11: 0,
      17: [[0]],
      18: 0,
      27: 1,
      30: [4],
      41: [1],
      53: 0,
      59: requestId,
      61: [],
      68: 2,
      79: 1,
      80: 1,
      91: 0,
      96: 1,
      98: 1,
    })
  })

  it('asks for a landscape video as captured', () => {
    const inner = buildPrompt({ prompt: 'a paper boat', requestId, tool: 'video' })
    expect(filled(inner)).toMatchObject({
      0: [
        'a paper boat',
        0,
        null,
        null,
        null,
        null,
        0,
        null,
        null,
        [null, null, null, null, null, null, [[null, null, null, 1]]],
      ],
      49: 11,
      54: [],
      55: [[16]],
    })
  })

  it('takes overrides of single slots and another length', () => {
    const inner = buildPrompt({ prompt: 'x', requestId, slots: { 41: [2], 66: [1, 2] }, length: 69 })
    expect(inner).toHaveLength(69)
    expect([inner[41], inner[66]]).toEqual([[2], [1, 2]])
  })
})

describe('readPrompt', () => {
  it('reads what was built', () => {
    const request = {
      prompt: 'Draw <it> & tell "me" 🇯🇵',
      language: 'ja',
      requestId,
      nonce: 'ab',
      attestation: '!x',
      gemId: 'coding-partner',
      temporary: true,
      extendedThinking: true,
      mode: 3,
      turn: 2,
      files: [{ reference: '/contrib_service/ttl_1d/1', name: 'a.png', mimeType: 'image/png', kind: 1 as const }],
      continuation: { chatId: 'c_1', responseId: 'r_1', candidateId: 'rc_1', contextToken: 'Aw' },
    }
    const { slots, ...read } = readPrompt(buildPrompt(request)) ?? {}
    expect(read).toEqual(request)
    expect(slots).toHaveLength(PROMPT_LENGTH)
    expect(readPromptForm(buildPromptForm(request, 'AD:1'))).toMatchObject({ token: 'AD:1', prompt: request })
  })

  it.each([
    ['video', { orientation: 'portrait' }],
    ['music', { length: 'short', vocals: 'instrumental', genres: ['jazz', 'ambient'] }],
  ] as const)('reads the options of %s', (tool, media) => {
    expect(readPrompt(buildPrompt({ prompt: 'x', requestId, tool, media }))).toMatchObject({ toolName: tool, media })
  })

  it('understands the three slots of 2023', () => {
    expect(readPrompt([['hi'], null, ['c_1', 'r_1', 'rc_1']])).toMatchObject({
      prompt: 'hi',
      files: [],
      temporary: false,
      extendedThinking: false,
      turn: 0,
      continuation: { chatId: 'c_1', responseId: 'r_1', candidateId: 'rc_1' },
    })
  })

  it.each([
    [
      [['/ref', 1, null, 'image/png'], 'a', null, null, null, null, null, null, [0]],
      { reference: '/ref', name: 'a', mimeType: 'image/png', kind: 1 },
    ],
    [[['/ref', 1, null, 'image/png'], 'a'], { reference: '/ref', name: 'a', mimeType: 'image/png', kind: 1 }],
    [[['/ref'], 'a'], { reference: '/ref', name: 'a' }],
    [[['/ref', 1], 'a'], { reference: '/ref', name: 'a', kind: 1 }],
    [[null, null, '/ref'], { reference: '/ref' }],
  ])('reads the file form %j', (form, file) => {
    expect(readPrompt([['x', 0, null, [form], null, null, 0]])?.files).toEqual([file])
  })

  it.each(['', 'f.req=x', 'f.req=[null]', 'f.req=[[["a","b"]]]', `f.req=${encodeURIComponent('[null,"[]"]')}`])(
    'calls the form %j malformed',
    (body) => {
      expect(readPromptForm(body).prompt).toBeUndefined()
    },
  )
})

describe('fileKind', () => {
  it('knows pictures and videos; the rest is a document', () => {
    expect(['image/png', 'video/mp4', 'text/plain', undefined].map(fileKind)).toEqual([1, 2, 3, 3])
  })
})
