import type { Content, Part } from '@castorjs/content-generator'
import { createGeminiApiEmulator } from '@castorjs/gemini-api-emulator'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readModelRules } from '../model-rules.ts'
import { createSignatureCache, prepareSignatures } from './signatures.ts'
import { prepareTurns } from './turns.ts'

const OLD = readModelRules('gemini-2.5-flash')
const NEW = readModelRules('gemini-3.8-flash')
const user = (...parts: Part[]): Content => ({ role: 'user', parts })
const model = (...parts: Part[]): Content => ({ role: 'model', parts })
const call = (id: string): Part => ({ functionCall: { id, name: `f${id}`, args: {} } })
const result = (id: string, output: unknown = id): Part => ({
  functionResponse: { id, name: `f${id}`, response: { output } },
})
const missing = (id: string): Part => ({
  functionResponse: { id, name: `f${id}`, response: { error: 'no result was provided' } },
})
const text = (words: string): Part => ({ text: words })

describe('prepareTurns', () => {
  it.each<[string, Content[], Content[]]>([
    [
      'leaves good turns alone',
      [user(text('a')), model(text('b')), user(text('c'))],
      [user(text('a')), model(text('b')), user(text('c'))],
    ],
    [
      'drops empty texts and old thoughts',
      [user(text(''), text('a')), model({ text: 't', thought: true }), user(text('b'))],
      [user(text('a'), text('b'))],
    ],
    [
      'keeps an empty text that is signed',
      [user(text('a')), model({ text: '', thoughtSignature: 'QQ==' }), user(text('b'))],
      [user(text('a')), model({ text: '', thoughtSignature: 'QQ==' }), user(text('b'))],
    ],
    [
      'merges neighbours',
      [user(text('a')), user(text('b')), model(text('c')), model(text('d')), user(text('e'))],
      [user(text('a'), text('b')), model(text('c'), text('d')), user(text('e'))],
    ],
    ['begins with a user', [model(text('a')), user(text('b'))], [user(text('.')), model(text('a')), user(text('b'))]],
    [
      'puts results in the order of the calls',
      [user(text('a')), model(call('1'), call('2')), user(result('2'), result('1'))],
      [user(text('a')), model(call('1'), call('2')), user(result('1'), result('2'))],
    ],
    [
      'gathers results of several turns',
      [user(text('a')), model(call('1'), call('2')), user(result('1')), user(result('2'))],
      [user(text('a')), model(call('1'), call('2')), user(result('1'), result('2'))],
    ],
    [
      'fills in a missing result',
      [user(text('a')), model(call('1'), call('2')), user(result('2'))],
      [user(text('a')), model(call('1'), call('2')), user(missing('1'), result('2'))],
    ],
    [
      'answers calls nobody answered',
      [user(text('a')), model(call('1'))],
      [user(text('a')), model(call('1')), user(missing('1'))],
    ],
    [
      'moves words behind the results',
      [user(text('a')), model(call('1')), user(text('x'), result('1'))],
      [user(text('a')), model(call('1')), user(result('1')), user(text('x'))],
    ],
    [
      'tells a result without a call',
      [user(text('a')), model(text('b')), user(result('1'))],
      [user(text('a')), model(text('b')), user(text('Tool result (f1): {"output":"1"}'))],
    ],
    [
      'takes the role function',
      [user(text('a')), model(call('1')), { role: 'function', parts: [result('1')] }],
      [user(text('a')), model(call('1')), user(result('1'))],
    ],
  ])('%s', (_, given, expected) => {
    expect(prepareTurns(given, OLD)).toEqual(expected)
  })

  it('matches results by name where there are no ids', () => {
    const bare = (name: string): Part => ({ functionCall: { name, args: {} } })
    const answer = (name: string): Part => ({ functionResponse: { name, response: { output: name } } })
    expect(
      prepareTurns([user(text('a')), model(bare('f'), bare('g')), user(answer('g'), answer('f'))], OLD)[2],
    ).toEqual(user(answer('f'), answer('g')))
  })

  it('moves pictures of a result behind it on models before 3', () => {
    const picture: Part = { inlineData: { mimeType: 'image/png', data: 'AAAA' } }
    const shown: Part = { functionResponse: { id: '1', name: 'f1', response: {}, parts: [picture] } }
    const turns = [user(text('a')), model(call('1')), user(shown)]
    expect(prepareTurns(turns, NEW)[2]).toEqual(user(shown))
    expect(prepareTurns(turns, OLD).slice(2)).toEqual([
      user({ functionResponse: { id: '1', name: 'f1', response: {} } }),
      user(picture),
    ])
  })

  it('makes turns the upstream takes of any turns', async () => {
    const { fetch } = createGeminiApiEmulator()
    const id = fc.constantFrom('1', '2', '3')
    const part = fc.oneof(
      fc.constantFrom(text('a'), text(''), { text: 't', thought: true }),
      id.map(call),
      id.map((known) => result(known)),
    )
    const turn = fc.record({
      role: fc.constantFrom('user', 'model', 'function'),
      parts: fc.array(part, { maxLength: 4 }),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(turn, { maxLength: 8 }),
        fc.constantFrom('gemini-2.5-flash', 'gemini-3.8-flash'),
        async (given, name) => {
          const turns = prepareTurns(given, readModelRules(name))
          const contents = prepareSignatures(turns, createSignatureCache(), name)
          if (contents.length === 0) return
          const response = await fetch(`https://g.test/v1beta/models/${name}:generateContent?key=emulator-key`, {
            method: 'POST',
            body: JSON.stringify({ contents }),
          })
          expect(response.ok ? '' : await response.text()).toBe('')
        },
      ),
      { numRuns: 300 },
    )
  })
})
