import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { GenerateContentRequestSchema, validate } from './index.ts'

function messageOf(schema: v.GenericSchema, value: unknown): unknown {
  try {
    validate(schema, value)
    return 'accepted'
  } catch (error) {
    return { field: Reflect.get(error as object, 'field'), message: Reflect.get(error as object, 'message') }
  }
}

describe('validate', () => {
  it.each([
    [{ contents: [{ parts: [{ text: 'x' }] }] }, 'model', '`model` is missing.'],
    [{ model: 'm', contents: 'hi' }, 'contents', '`contents` must be an array, not a string.'],
    [{ model: 'm', contents: [] }, 'contents', '`contents` must hold at least one turn.'],
    [
      { model: 'm', contents: [{ parts: [{ text: 7 }] }] },
      'contents[0].parts[0].text',
      '`contents[0].parts[0].text` must be a string, not a number.',
    ],
    [
      { model: 'm', contents: [{ role: 'robot' }] },
      'contents[0].role',
      '`contents[0].role` must be "user", "model", "function" or "system".',
    ],
    [
      { model: 'm', contents: [{}], generationConfig: { temperature: 3 } },
      'generationConfig.temperature',
      '`generationConfig.temperature` must be at most 2.',
    ],
    [null, undefined, 'The body must be an object, not null.'],
  ])('names the field and the expectation for %j', (value, field, message) => {
    expect(messageOf(GenerateContentRequestSchema, value)).toEqual({ field, message })
  })

  it('keeps fields it does not know, at every depth', () => {
    const request = { model: 'm', contents: [{ parts: [{ text: 'x', next: 1 }], later: 2 }], newest: 3 }
    expect(validate(GenerateContentRequestSchema, request)).toEqual(request)
  })

  it('names the field inside the branch of a union that got furthest', () => {
    const schema = v.object({ a: v.union([v.string(), v.array(v.object({ b: v.string() }))]) })
    expect(messageOf(schema, { a: [{ b: 1 }] })).toEqual({
      field: 'a[0].b',
      message: '`a[0].b` must be a string, not a number.',
    })
    expect(messageOf(schema, { a: 1 })).toMatchObject({ field: 'a' })
  })

  it('never repeats the value in the message', () => {
    const schema = v.object({ secret: v.pipe(v.string(), v.email()) })
    expect(JSON.stringify(messageOf(schema, { secret: 'hunter2' }))).not.toContain('hunter2')
  })
})
