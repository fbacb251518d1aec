import { createGeminiApiEmulator } from '@castorjs/gemini-api-emulator'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cleanJsonSchema } from './clean-json-schema.ts'
import { toOpenApiSchema } from './to-openapi.ts'

const object = (properties: object, rest: object = {}) => ({ type: 'object', properties, ...rest })

/** What clients send, and what is left of it. Rows of `dialects.md` sections 6.4 and 8 where numbered. */
const CORPUS: [string, unknown, object][] = [
  [
    'keywords Gemini does not know (row 16)',
    object(
      { n: { type: 'integer', exclusiveMinimum: 0, $comment: 'x' }, c: { const: 'a' } },
      { $schema: 'http://x', enumDescriptions: ['x'], 'x-order': 1 },
    ),
    object({ n: { type: 'integer', minimum: 1 }, c: { type: 'string', enum: ['a'] } }),
  ],
  ['numbers in an enum (row 17)', { enum: [1, 2, null], type: 'integer' }, { enum: [1, 2], type: ['integer', 'null'] }],
  [
    'properties named like keywords (row 18)',
    object(
      {
        title: { type: 'string' },
        format: { type: 'string' },
        const: { type: 'string' },
        $ref: { type: 'string' },
        required: { type: 'string' },
      },
      { required: ['const', '$ref'] },
    ),
    object(
      {
        title: { type: 'string' },
        format: { type: 'string' },
        const: { type: 'string' },
        $ref: { type: 'string' },
        required: { type: 'string' },
      },
      { required: ['const', '$ref'] },
    ),
  ],
  ['a type or null (row 19)', { type: ['string', 'null'] }, { type: ['string', 'null'] }],
  [
    'anyOf with null',
    { anyOf: [{ type: 'string', description: 'd' }, { type: 'null' }] },
    { type: ['string', 'null'], description: 'd' },
  ],
  [
    'upper-case types',
    { type: 'OBJECT', properties: { a: { type: 'STRING', nullable: true } } },
    object({ a: { type: ['string', 'null'] } }),
  ],
  [
    'definitions and references',
    {
      $ref: '#/definitions/A',
      definitions: { A: object({ b: { $ref: '#/definitions/B', description: 'mine' } }), B: { type: 'string' } },
    },
    object({ b: { type: 'string', description: 'mine' } }),
  ],
  [
    'allOf',
    {
      allOf: [
        object({ a: { type: 'string' } }, { required: ['a'] }),
        object({ b: { type: 'integer' } }, { required: ['b'] }),
      ],
      description: 'both',
    },
    object({ a: { type: 'string' }, b: { type: 'integer' } }, { required: ['a', 'b'], description: 'both' }),
  ],
  ['oneOf', { oneOf: [{ type: 'string' }, { type: 'integer' }] }, { anyOf: [{ type: 'string' }, { type: 'integer' }] }],
  ['oneOf of constants', { oneOf: [{ const: 'a', title: 'A' }, { const: 'b' }] }, { enum: ['a', 'b'], type: 'string' }],
  [
    'a tuple',
    { type: 'array', items: [{ type: 'string' }, { type: 'integer' }] },
    { type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }] },
  ],
  ['formats', { type: 'string', format: 'uri' }, { type: 'string', description: '(format: uri)' }],
  ['a date', { type: 'string', format: 'date-time' }, { type: 'string', format: 'date-time' }],
  [
    'facts that are not honoured',
    { type: 'string', description: 'A name.', default: 'Bo', maxLength: 9 },
    { type: 'string', description: 'A name. (default: "Bo", maxLength: 9)' },
  ],
  [
    'required names without property',
    object({ a: {} }, { required: ['a', 'b'] }),
    object({ a: {} }, { required: ['a'] }),
  ],
  [
    'boolean schemas',
    object({ a: true, b: false }, { additionalProperties: false }),
    object({ a: {}, b: {} }, { additionalProperties: false }),
  ],
  [
    'an old exclusive minimum',
    { type: 'integer', minimum: 3, exclusiveMinimum: true },
    { type: 'integer', minimum: 4 },
  ],
  [
    'a reference to itself, cut',
    { $ref: '#/$defs/N', $defs: { N: object({ next: { $ref: '#/$defs/N' } }) } },
    object({ next: object({ next: { type: 'object' } }) }),
  ],
  [
    'a reference to nothing',
    object({ a: { $ref: '#/nowhere', description: 'd' } }),
    object({ a: { description: 'd' } }),
  ],
  ['a constant that is no word', { const: true }, { type: 'boolean' }],
  ['no schema at all', 'x', {}],
]

const { fetch } = createGeminiApiEmulator()

/** Asks the strict emulator whether it takes a schema. */
async function isTaken(fields: object): Promise<unknown> {
  const body = {
    contents: [{ parts: [{ text: 'hi' }] }],
    tools: [{ functionDeclarations: [{ name: 'f', ...fields }] }],
  }
  const response = await fetch('https://g.test/v1beta/models/gemini-3.8-flash:generateContent?key=emulator-key', {
    method: 'POST',
    body: JSON.stringify(body),
  })
  return response.ok ? true : await response.json()
}

describe('cleanJsonSchema', () => {
  it.each(CORPUS)('cleans %s', async (_, given, expected) => {
    const before = structuredClone(given)
    const clean = cleanJsonSchema(given)
    expect(clean).toEqual(expected)
    expect(given).toEqual(before)
    expect(await isTaken({ parametersJsonSchema: clean })).toBe(true)
    expect(await isTaken({ parameters: toOpenApiSchema(clean) })).toBe(true)
    expect(cleanJsonSchema(clean)).toEqual(clean)
  })

  it('stays small for definitions that mention each other', () => {
    const names = Array.from({ length: 12 }, (_, index) => `D${index}`)
    const properties = Object.fromEntries(names.map((name) => [name, { $ref: `#/$defs/${name}` }]))
    const $defs = Object.fromEntries(names.map((name) => [name, { type: 'object', properties }]))
    expect(JSON.stringify(cleanJsonSchema({ $ref: '#/$defs/D0', $defs })).length).toBeLessThan(1_000_000)
  })

  it('makes something the upstream takes of anything', async () => {
    const keyword = fc.constantFrom(
      'type',
      'enum',
      'items',
      'properties',
      'anyOf',
      'allOf',
      'required',
      '$ref',
      'const',
      'format',
      'not',
      'minimum',
    )
    const { schema } = fc.letrec<{ schema: unknown }>((tie) => ({
      schema: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom<unknown>('string', 'object', 'array', 'null', null, true, 3, '#/properties/a', '#', [
          'a',
          1,
          null,
        ]),
        fc.dictionary(keyword, tie('schema'), { maxKeys: 4 }),
        fc.record({ type: fc.constant('object'), properties: fc.dictionary(fc.constantFrom('a', 'b'), tie('schema')) }),
        fc.array(tie('schema'), { maxLength: 3 }),
      ),
    }))
    await fc.assert(
      fc.asyncProperty(schema, async (given) => {
        const clean = cleanJsonSchema(given)
        expect(await isTaken({ parametersJsonSchema: clean })).toBe(true)
        expect(await isTaken({ parameters: toOpenApiSchema(clean) })).toBe(true)
      }),
      { numRuns: 150 },
    )
  })
})
