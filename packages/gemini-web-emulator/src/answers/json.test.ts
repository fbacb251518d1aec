import { expect, it } from 'vitest'
import { asJson } from './json.ts'

const ask = (last: string, ...notes: string[]): unknown => {
  const answer = asJson({ last, notes, earlier: [], answers: [], documents: [] }, 'Your name is Ada.')
  return answer === undefined ? undefined : JSON.parse(answer)
}

it('answers in words unless JSON is asked for', () => {
  expect(ask('What is JSON?')).toBeUndefined()
  expect(ask('What is my name?', 'Answer with one JSON value only: no code fence, no words around it.')).toEqual({
    answer: 'Your name is Ada.',
  })
})

it('fits the schema that an instruction names', () => {
  const schema = {
    type: 'object',
    properties: {
      name: { type: 'string', maxLength: 9 },
      age: { type: 'INTEGER', minimum: 18 },
      tags: { type: 'array', items: { enum: ['red', 'blue'] }, minItems: 2 },
      born: { type: ['string', 'null'], format: 'date' },
      kind: { const: 'person' },
      friend: { anyOf: [{ $ref: '#/$defs/friend' }, { type: 'null' }] },
      happy: { type: 'boolean' },
      score: { type: 'number', maximum: 0.5 },
      nothing: { type: 'null' },
    },
    $defs: { friend: { type: 'object', properties: { friend: { $ref: '#/$defs/friend' } }, required: [] } },
  }
  expect(
    ask(
      'Who?',
      `Answer with one JSON value only.\n\nIt must fit this JSON schema: ${JSON.stringify(schema)}\nUse {braces}.`,
    ),
  ).toEqual({
    name: 'Your name',
    age: 18,
    tags: ['red', 'red'],
    born: '2026-09-21',
    kind: 'person',
    friend: { friend: { friend: {} } },
    happy: true,
    score: 0.5,
    nothing: null,
  })
})
