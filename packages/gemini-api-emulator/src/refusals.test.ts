import { describe, expect, it } from 'vitest'
import { createGeminiApiEmulator, createSignature } from './index.ts'

const { fetch } = createGeminiApiEmulator({ keys: { 'emulator-key': 'one', 'other-key': 'two' } })
const user = (...parts: object[]) => ({ role: 'user', parts })
const model = (...parts: object[]) => ({ role: 'model', parts })
const hi = user({ text: 'hi' })
const call = (name: string, rest: object = {}) => ({ functionCall: { id: `id-${name}`, name, args: {} }, ...rest })
const result = (name: string) => ({ functionResponse: { id: `id-${name}`, name, response: { output: 1 } } })
const SKIP = { thoughtSignature: 'skip_thought_signature_validator' }

async function ask(name: string, body: unknown, key = 'emulator-key'): Promise<{ status: number; message: string }> {
  const url = `https://generativelanguage.googleapis.com/v1beta/models/${name}:generateContent`
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'x-goog-api-key': key },
    body: JSON.stringify(body),
  })
  const answer = (await response.json()) as { error?: { message: string } }
  return { status: response.status, message: answer.error?.message ?? '' }
}

const F25 = 'gemini-2.5-flash'
const F38 = 'gemini-3.8-flash'
const F30 = 'gemini-3-flash-preview'
const config = (generationConfig: object) => ({ contents: [hi], generationConfig })
const functions = (...functionDeclarations: object[]) => ({ contents: [hi], tools: [{ functionDeclarations }] })

describe('the emulator refuses what Google refuses', () => {
  it.each<[string, string, unknown, string]>([
    ['an unknown field at the root', F25, { contents: [hi], foo: 1 }, 'Unknown name "foo": Cannot find field.'],
    [
      'an unknown field inside',
      F25,
      { contents: [user({ text: 'a', mime: 1 })] },
      `Unknown name "mime" at 'contents[0].parts[0]': Cannot find field.`,
    ],
    [
      'a schema keyword outside the subset',
      F25,
      functions({
        name: 'f',
        parameters: { type: 'OBJECT', properties: { n: { type: 'NUMBER', exclusiveMinimum: 1 } } },
      }),
      `Unknown name "exclusiveMinimum" at 'tools[0].function_declarations[0].parameters.properties[0].value'`,
    ],
    [
      'a wrong type',
      F25,
      { contents: [user({ text: 5 })] },
      `Invalid value at 'contents[0].parts[0].text' (TYPE_STRING), 5`,
    ],
    ['no contents', F25, { contents: [] }, 'contents is not specified'],
    ['a strange role', F25, { contents: [{ role: 'assistant', parts: [{ text: 'a' }] }] }, 'valid role: user, model'],
    ['empty parts', F25, { contents: [user()] }, 'contents.parts must not be empty'],
    ['a part without data', F25, { contents: [user({})] }, "required oneof field 'data'"],
    ['two data fields', F25, { contents: [user({ text: 'a', ...call('f') })] }, "oneof field 'data' is already set"],
    [
      'an empty system text',
      F25,
      { contents: [hi], systemInstruction: { parts: [{ text: '' }] } },
      'must not be empty',
    ],
    [
      'a call first',
      F25,
      { contents: [model(call('f')), user(result('f'))] },
      'function call turn comes immediately after',
    ],
    [
      'a result without a call',
      F25,
      { contents: [hi, model({ text: 'a' }), user(result('f'))] },
      'function response turn comes',
    ],
    [
      'too few results',
      F25,
      { contents: [hi, model(call('f'), call('g')), user(result('f'))] },
      'number of function response parts is equal',
    ],
    [
      'text before results',
      F25,
      { contents: [hi, model(call('f')), user({ text: 'a' }, result('f'))] },
      'function response turn',
    ],
    ['text instead of results', F25, { contents: [hi, model(call('f')), hi] }, 'number of function response parts'],
    [
      'a result that is no object',
      F25,
      { contents: [user({ functionResponse: { name: 'f', response: 'ok' } })] },
      'Struct',
    ],
    [
      'a missing signature',
      F30,
      { contents: [hi, model(call('f')), user(result('f'))] },
      'missing a thought_signature in functionCall parts',
    ],
    [
      'a corrupted signature',
      F30,
      { contents: [hi, model(call('f', { thoughtSignature: 'QUJD' })), user(result('f'))] },
      'Corrupted thought signature',
    ],
    [
      'a signature of another model',
      F30,
      { contents: [hi, model(call('f', { thoughtSignature: createSignature(F38) })), user(result('f'))] },
      'Corrupted thought signature',
    ],
    [
      'a prefill',
      F38,
      { contents: [hi, model({ text: 'Once' })] },
      'Requests ending with a model turn are not supported.',
    ],
    ['a temperature on a new model', F38, config({ temperature: 0.2 }), 'temperature is not supported'],
    ['several candidates', F38, config({ candidateCount: 2 }), 'Multiple candidates is not enabled'],
    ['six stop sequences', F25, config({ stopSequences: ['1', '2', '3', '4', '5', '6'] }), 'must not be more than 5'],
    ['penalties', F25, config({ presencePenalty: 0.5 }), 'Penalty is not enabled'],
    ['logprobs', F25, config({ responseLogprobs: true }), 'Logprobs is not enabled'],
    ['a level on 2.5', F25, config({ thinkingConfig: { thinkingLevel: 'LOW' } }), 'Thinking level is not supported'],
    ['an unsupported level', F38, config({ thinkingConfig: { thinkingLevel: 'MINIMAL' } }), 'Thinking level MINIMAL'],
    [
      'thinking off on pro',
      'gemini-2.5-pro',
      config({ thinkingConfig: { thinkingBudget: 0 } }),
      'between 128 and 32768',
    ],
    [
      'level and budget',
      F30,
      config({ thinkingConfig: { thinkingBudget: 5, thinkingLevel: 'LOW' } }),
      'only one of thinking budget and thinking level',
    ],
    [
      'a picture from a text model',
      F25,
      config({ responseModalities: ['IMAGE'] }),
      'requested response modalities: image',
    ],
    ['a schema without type', F25, config({ responseSchema: { type: 'STRING' } }), 'requires response_mime_type'],
    [
      'JSON with functions on 2.5',
      F25,
      { ...functions({ name: 'f' }), generationConfig: { responseMimeType: 'application/json' } },
      'Function calling with a response mime type',
    ],
    ['a bad name', F25, functions({ name: 'mcp.server/do it' }), 'Invalid function name'],
    ['a function twice', F25, functions({ name: 'f' }, { name: 'f' }), 'Duplicate function declaration'],
    [
      'an empty OBJECT on 2.5',
      F25,
      functions({ name: 'f', parameters: { type: 'object', properties: {} } }),
      'non-empty for OBJECT',
    ],
    ['an ARRAY without items', F30, functions({ name: 'f', parameters: { type: 'ARRAY' } }), 'items: missing field'],
    [
      'a required name without property',
      F30,
      functions({ name: 'f', parametersJsonSchema: { type: 'object', required: ['x'] } }),
      'property is not defined',
    ],
    [
      'search and functions on 2.5',
      F25,
      { contents: [hi], tools: [{ functionDeclarations: [{ name: 'f' }] }, { googleSearch: {} }] },
      'cannot be combined',
    ],
    [
      'a GIF',
      F25,
      { contents: [user({ inlineData: { mimeType: 'image/gif', data: 'R0lG' } })] },
      'Unsupported MIME type: image/gif',
    ],
    [
      'broken base64',
      F25,
      { contents: [user({ inlineData: { mimeType: 'image/png', data: '%%%' } })] },
      'Base64 decoding failed',
    ],
    [
      'base64 with line breaks',
      F25,
      { contents: [user({ inlineData: { mimeType: 'image/png', data: 'AAAA\nAAAA' } })] },
      'Base64',
    ],
    ['labels', F25, { contents: [hi], labels: { a: 'b' } }, 'labels parameter is not supported'],
    [
      'a Vertex safety category',
      F25,
      { contents: [hi], safetySettings: [{ category: 'HARM_CATEGORY_JAILBREAK', threshold: 'OFF' }] },
      'element predicate failed: $.category',
    ],
    ['too many tokens', F25, config({ maxOutputTokens: 100_000 }), 'from 1 (inclusive) to 65537 (exclusive)'],
    ['a long whole answer of argon', 'gemini-4-argon', config({ maxOutputTokens: 40_000 }), 'to 32769 (exclusive)'],
  ])('%s', async (_, name, body, words) => {
    const { status, message } = await ask(name, body)
    expect(status).toBe(400)
    expect(message).toContain(words)
  })

  it('lets the right forms of the same through', async () => {
    expect(
      await ask(F30, { contents: [hi, model(call('f', SKIP), call('g')), user(result('f'), result('g'))] }),
    ).toMatchObject({ status: 200 })
    const signed = model(call('f', { thoughtSignature: createSignature(F30) }))
    expect((await ask(F30, { contents: [hi, signed, user(result('f'))] })).status).toBe(200)
    // Older turns are not validated.
    const older = [hi, model(call('f')), user(result('f')), model({ text: 'a' }), hi]
    expect((await ask(F30, { contents: older })).status).toBe(200)
    expect((await ask(F25, { contents: hi, system_instruction: { parts: { text: 'S' } } })).status).toBe(200)
  })

  it('answers for retired and unknown models like the catalogue says', async () => {
    expect(await ask('gemini-2.0-flash', { contents: [hi] })).toEqual({
      status: 404,
      message:
        'models/gemini-2.0-flash is not found for API version v1beta, or is not supported for generateContent. Call ModelService.ListModels to see the list of available models and their supported methods.',
    })
    expect((await ask('gemini-3.5-flash', { contents: [hi] })).status).toBe(200)
  })

  it('answers bad keys with 400 and missing ones with 403', async () => {
    expect(await ask(F25, { contents: [hi] }, 'wrong')).toEqual({
      status: 400,
      message: 'API key not valid. Please pass a valid API key.',
    })
    const response = await fetch('https://g.test/v1beta/models')
    expect(response.status).toBe(403)
  })
})

describe('the Files API', () => {
  const ORIGIN = 'https://g.test'
  const headers = { 'x-goog-api-key': 'emulator-key' }

  async function upload(
    mimeType: string,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<{ uri: string; name: string; state: string }> {
    const started = await fetch(`${ORIGIN}/upload/v1beta/files`, {
      method: 'POST',
      headers: {
        ...headers,
        'x-goog-upload-protocol': 'resumable',
        'x-goog-upload-command': 'start',
        'x-goog-upload-header-content-length': String(bytes.length),
        'x-goog-upload-header-content-type': mimeType,
      },
      body: JSON.stringify({ file: { displayName: 'x' } }),
    })
    const url = started.headers.get('x-goog-upload-url') ?? ''
    const half = Math.floor(bytes.length / 2)
    const send = (offset: number, command: string, piece: Uint8Array<ArrayBuffer>) =>
      fetch(url, {
        method: 'POST',
        headers: { ...headers, 'x-goog-upload-offset': String(offset), 'x-goog-upload-command': command },
        body: piece,
      })
    await send(0, 'upload', bytes.subarray(0, half))
    const final = await send(half, 'upload, finalize', bytes.subarray(half))
    expect(final.headers.get('x-goog-upload-status')).toBe('final')
    const { file } = (await final.json()) as { file: { uri: string; name: string; state: string } }
    return file
  }

  it('takes a resumable upload in pieces, and keeps files to their project', async () => {
    const file = await upload('application/pdf', new Uint8Array(1_000))
    expect(file).toMatchObject({ state: 'ACTIVE', sizeBytes: '1000', mimeType: 'application/pdf' })
    const body = { contents: [user({ fileData: { fileUri: file.uri, mimeType: 'application/pdf' } })] }
    expect((await ask(F25, body)).status).toBe(200)
    expect(await ask(F25, body, 'other-key')).toMatchObject({ status: 403 })
  })

  it('keeps videos PROCESSING for a while', async () => {
    const file = await upload('video/mp4', new Uint8Array(10))
    expect(file.state).toBe('PROCESSING')
    const body = { contents: [user({ fileData: { fileUri: file.uri } })] }
    expect((await ask(F25, body)).message).toContain('is not in an ACTIVE state')
    const poll = async () => ((await (await fetch(file.uri, { headers })).json()) as { state: string }).state
    expect([await poll(), await poll()]).toEqual(['PROCESSING', 'ACTIVE'])
    expect((await ask(F25, body)).status).toBe(200)
  })

  it('refuses a size that does not match, and forgets what is deleted', async () => {
    const file = await upload('text/plain', new Uint8Array(4))
    expect((await fetch(file.uri, { method: 'DELETE', headers })).status).toBe(200)
    expect((await fetch(file.uri, { headers })).status).toBe(403)
  })
})
