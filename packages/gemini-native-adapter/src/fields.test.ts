import { describe, expect, it } from 'vitest'
import { BATCH_EMBED_CONTENTS, GENERATE_CONTENT, respell } from './fields.ts'

describe('respell', () => {
  it('turns known snake_case fields into camelCase at every depth', () => {
    const body = {
      system_instruction: { parts: [{ text: 'Be brief.' }] },
      contents: [{ parts: [{ inline_data: { mime_type: 'image/png', data: 'AA==' } }, { thought_signature: 'QUJD' }] }],
      generation_config: { max_output_tokens: 5, thinking_config: { include_thoughts: true } },
      tools: [{ function_declarations: [{ name: 'f', parameters_json_schema: {} }] }],
    }
    expect(respell(body, GENERATE_CONTENT)).toEqual({
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      contents: [{ parts: [{ inlineData: { mimeType: 'image/png', data: 'AA==' } }, { thoughtSignature: 'QUJD' }] }],
      generationConfig: { maxOutputTokens: 5, thinkingConfig: { includeThoughts: true } },
      tools: [{ functionDeclarations: [{ name: 'f', parametersJsonSchema: {} }] }],
    })
  })

  it('leaves alone what the caller named: arguments, results, schemas, labels', () => {
    const body = {
      contents: [
        {
          parts: [
            { functionCall: { name: 'f', args: { max_output_tokens: 1 } } },
            { functionResponse: { name: 'f', response: { inline_data: 2 } } },
          ],
        },
      ],
      tools: [{ functionDeclarations: [{ name: 'f', parameters: { properties: { mime_type: {} } } }] }],
      labels: { generation_config: 'x' },
    }
    expect(respell(body, GENERATE_CONTENT)).toBe(body)
  })

  it('keeps fields that nobody here knows', () => {
    const body = { contents: [], brand_new: { some_field: 1 } }
    expect(respell(body, GENERATE_CONTENT)).toBe(body)
  })

  it('makes a list of a lone object', () => {
    expect(respell({ contents: { parts: { text: 'hi' } } }, GENERATE_CONTENT)).toEqual({
      contents: [{ parts: [{ text: 'hi' }] }],
    })
    expect(respell({ requests: { content: { parts: { text: 'hi' } } } }, BATCH_EMBED_CONTENTS)).toEqual({
      requests: [{ content: { parts: [{ text: 'hi' }] } }],
    })
  })

  it('prefers camelCase where both are sent, and never changes what it was given', () => {
    const body = Object.freeze({ generation_config: { seed: 1 }, generationConfig: { seed: 2 } })
    expect(respell(body, GENERATE_CONTENT)).toEqual({ generationConfig: { seed: 2 } })
  })

  it('reads media parts inside a function result', () => {
    const parts = [{ function_response: { name: 'f', response: {}, parts: [{ inline_data: { mime_type: 'a/b' } }] } }]
    expect(respell({ contents: [{ parts }] }, GENERATE_CONTENT)).toEqual({
      contents: [
        { parts: [{ functionResponse: { name: 'f', response: {}, parts: [{ inlineData: { mimeType: 'a/b' } }] } }] },
      ],
    })
  })
})
