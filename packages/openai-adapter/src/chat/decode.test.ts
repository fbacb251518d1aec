import type { Content } from '@castorjs/content-generator'
import { describe, expect, it } from 'vitest'
import { decodeChatRequest } from './decode.ts'

const user = (text: string): Content => ({ role: 'user', parts: [{ text }] })
const model = (text: string): Content => ({ role: 'model', parts: [{ text }] })
const GEMINI_2 = 'gemini-2.5-flash'
const GEMINI_3 = 'gemini-3-flash-preview'

async function contentsOf(messages: unknown[], name = GEMINI_2): Promise<Content[]> {
  return (await decodeChatRequest({ model: name, messages })).request.contents
}

async function decode(fields: Record<string, unknown>, name = GEMINI_2) {
  const decoded = await decodeChatRequest(
    { model: name, messages: [{ role: 'user', content: 'Hi' }], ...fields },
    { includeThoughts: false },
  )
  return {
    ...decoded,
    config: decoded.request.generationConfig,
    warned: decoded.warnings.map(({ setting }) => setting),
  }
}

function assistantCalls(...calls: [id: string, name: string, args: string][]) {
  return {
    role: 'assistant',
    content: null,
    tool_calls: calls.map(([id, name, args]) => ({ id, type: 'function', function: { name, arguments: args } })),
  }
}

describe('turns', () => {
  it('gathers system messages wherever they stand (row 23)', async () => {
    const { request } = await decodeChatRequest({
      model: GEMINI_2,
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
        { role: 'developer', content: [{ type: 'text', text: 'Speak Latin.' }] },
      ],
    })
    expect(request.systemInstruction).toEqual({ parts: [{ text: 'Be brief.' }, { text: 'Speak Latin.' }] })
    expect(request.contents).toEqual([user('Hi')])
  })

  it('makes a question of a lone system message (row 24)', async () => {
    const { request } = await decodeChatRequest({
      model: GEMINI_2,
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'system', content: 'Name a river.' },
      ],
    })
    expect(request.systemInstruction).toEqual({ parts: [{ text: 'Be brief.' }] })
    expect(request.contents).toEqual([user('Name a river.')])
  })

  it('drops empty content and merges neighbours (row 25)', async () => {
    expect(
      await contentsOf([
        { role: 'user', content: 'One' },
        { role: 'assistant', content: null },
        { role: 'assistant', content: '' },
        { role: 'user', content: [] },
        {
          role: 'user',
          content: [
            { type: 'text', text: '' },
            { type: 'text', text: 'Two' },
          ],
        },
      ]),
    ).toEqual([{ role: 'user', parts: [{ text: 'One' }, { text: 'Two' }] }])
  })

  it('puts a user turn before a leading assistant', async () => {
    expect(
      await contentsOf([
        { role: 'assistant', content: 'Welcome' },
        { role: 'user', content: 'Hi' },
      ]),
    ).toEqual([user('.'), model('Welcome'), user('Hi')])
  })

  it('asks for a continuation where a model refuses a last assistant turn (row 26)', async () => {
    const messages = [
      { role: 'user', content: 'Count' },
      { role: 'assistant', content: 'One, two' },
    ]
    expect(await contentsOf(messages, GEMINI_2)).toEqual([user('Count'), model('One, two')])
    expect(await contentsOf(messages, 'gemini-3.6-flash')).toEqual([
      user('Count'),
      model('One, two'),
      user('Continue your previous message exactly where it stopped, without repeating any of it.'),
    ])
  })
})

describe('calls and results', () => {
  const ask = { role: 'user', content: 'Weather?' }

  it('puts results in the order of the calls, with the name of the call (rows 8, 12, 13)', async () => {
    expect(
      await contentsOf([
        ask,
        assistantCalls(['a', 'get_weather', '{"city":"Oslo"}'], ['b', 'get_time', '']),
        { role: 'tool', tool_call_id: 'b', content: '42' },
        { role: 'tool', tool_call_id: 'a', content: '{"sky":"grey"}' },
        { role: 'user', content: 'Thanks' },
      ]),
    ).toEqual([
      user('Weather?'),
      {
        role: 'model',
        parts: [
          { functionCall: { id: 'a', name: 'get_weather', args: { city: 'Oslo' } } },
          { functionCall: { id: 'b', name: 'get_time', args: {} } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { id: 'a', name: 'get_weather', response: { sky: 'grey' } } },
          { functionResponse: { id: 'b', name: 'get_time', response: { output: '42' } } },
        ],
      },
      user('Thanks'),
    ])
  })

  it('adds an error for a missing result, and moves interrupting words behind the results (rows 9, 10)', async () => {
    expect(
      await contentsOf([
        ask,
        assistantCalls(['a', 'f', '{}'], ['b', 'g', '{}']),
        { role: 'user', content: 'Stop' },
        { role: 'tool', tool_call_id: 'a', content: 'ok' },
      ]),
    ).toEqual([
      user('Weather?'),
      {
        role: 'model',
        parts: [{ functionCall: { id: 'a', name: 'f', args: {} } }, { functionCall: { id: 'b', name: 'g', args: {} } }],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { id: 'a', name: 'f', response: { output: 'ok' } } },
          { functionResponse: { id: 'b', name: 'g', response: { error: 'no result was provided' } } },
        ],
      },
      user('Stop'),
    ])
  })

  it('turns a result without a call into words (row 11)', async () => {
    expect(
      await contentsOf([
        { role: 'tool', tool_call_id: 'gone', name: 'get_weather', content: 'rain' },
        { role: 'user', content: 'So?' },
      ]),
    ).toEqual([{ role: 'user', parts: [{ text: 'Tool result (get_weather): rain' }, { text: 'So?' }] }])
  })

  it('matches ids that repeat over the conversation to the call before them', async () => {
    const contents = await contentsOf([
      ask,
      assistantCalls(['call_0', 'f', '{}']),
      { role: 'tool', tool_call_id: 'call_0', content: 'first' },
      { role: 'assistant', content: 'Again.' },
      assistantCalls(['call_0', 'f', '{}']),
      { role: 'tool', tool_call_id: 'call_0', content: 'second' },
    ])
    const outputs = contents.flatMap((turn) => turn.parts?.map((part) => part.functionResponse?.response) ?? [])
    expect(outputs.filter((output) => output !== undefined)).toEqual([{ output: 'first' }, { output: 'second' }])
  })

  it.each([
    ['', {}],
    ['{"a":1}', { a: 1 }],
    ['[1,2]', { value: [1, 2] }],
    ['"text"', { value: 'text' }],
    ["{a: 'one',}", { a: 'one' }],
    ['not json', { _raw: 'not json' }],
  ])('reads the arguments %j (row 12)', async (args, expected) => {
    const [, turn] = await contentsOf([ask, assistantCalls(['a', 'f', args])])
    expect(turn?.parts?.[0]?.functionCall?.args).toEqual(expected)
  })

  it.each([
    ['"ok"', { output: '"ok"' }],
    ['[1,2]', { output: '[1,2]' }],
    ['', { output: '' }],
    ['{broken', { output: '{broken' }],
  ])('wraps the result %j (row 13)', async (content, response) => {
    const turns = await contentsOf([
      ask,
      assistantCalls(['a', 'f', '{}']),
      { role: 'tool', tool_call_id: 'a', content },
    ])
    expect(turns[2]?.parts?.[0]?.functionResponse?.response).toEqual(response)
  })

  it('keeps signatures on the very part they came with (rows 4, 7)', async () => {
    const signed = assistantCalls(['call_1__thought__QUJD', 'f', '{}'], ['b', 'g', '{}'], ['c', 'h', '{}'])
    Object.assign(signed.tool_calls[2] ?? {}, { extra_content: { google: { thought_signature: 'REVG' } } })
    const turns = await contentsOf([
      ask,
      signed,
      { role: 'tool', tool_call_id: 'call_1__thought__QUJD', content: 'one' },
      { role: 'tool', tool_call_id: 'b', content: 'two' },
      { role: 'tool', tool_call_id: 'c', content: 'three' },
    ])
    expect(turns[1]?.parts).toEqual([
      { functionCall: { id: 'call_1', name: 'f', args: {} }, thoughtSignature: 'QUJD' },
      { functionCall: { id: 'b', name: 'g', args: {} } },
      { functionCall: { id: 'c', name: 'h', args: {} }, thoughtSignature: 'REVG' },
    ])
    expect(turns[2]?.parts?.map((part) => part.functionResponse?.response)).toEqual([
      { output: 'one' },
      { output: 'two' },
      { output: 'three' },
    ])
  })

  it('keeps the signature of a text, and of one without text (row 6)', async () => {
    const extra_content = { google: { thought_signature: 'QUJD' } }
    const turns = await contentsOf([ask, { role: 'assistant', content: 'Rain.', extra_content }, ask])
    expect(turns[1]?.parts).toEqual([{ text: 'Rain.', thoughtSignature: 'QUJD' }])
    const bare = await contentsOf([ask, { ...assistantCalls(['a', 'f', '{}']), extra_content }])
    expect(bare[1]?.parts?.[0]).toEqual({ text: '', thoughtSignature: 'QUJD' })
  })

  it('puts pictures of a result inside it on Gemini 3, behind it before (row 15)', async () => {
    const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
    const messages = [
      ask,
      assistantCalls(['a', 'f', '{}']),
      {
        role: 'tool',
        tool_call_id: 'a',
        content: [
          { type: 'text', text: 'see' },
          { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } },
        ],
      },
    ]
    const picture = { inlineData: { mimeType: 'image/png', data: png } }
    const response = { id: 'a', name: 'f', response: { output: 'see' } }
    expect((await contentsOf(messages, GEMINI_3)).slice(2)).toEqual([
      { role: 'user', parts: [{ functionResponse: { ...response, parts: [picture] } }] },
    ])
    expect((await contentsOf(messages, GEMINI_2)).slice(2)).toEqual([
      { role: 'user', parts: [{ functionResponse: response }] },
      { role: 'user', parts: [picture] },
    ])
  })

  it('takes the old function messages', async () => {
    const decoded = await decodeChatRequest({
      model: GEMINI_2,
      functions: [{ name: 'f', parameters: { type: 'object', properties: {} } }],
      function_call: { name: 'f' },
      messages: [
        ask,
        { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{"a":1}' } },
        { role: 'function', name: 'f', content: 'done' },
      ],
    })
    expect(decoded.request.contents.slice(1)).toEqual([
      { role: 'model', parts: [{ functionCall: { name: 'f', args: { a: 1 } } }] },
      { role: 'user', parts: [{ functionResponse: { name: 'f', response: { output: 'done' } } }] },
    ])
    expect(decoded.request.toolConfig).toEqual({
      functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['f'] },
    })
    expect(decoded.shape.legacyCalls).toBe(true)
  })
})

describe('tools', () => {
  const tool = (name: string, parameters?: unknown) => ({ type: 'function', function: { name, parameters } })
  const schema = {
    type: 'object',
    properties: { city: { type: 'string', format: 'odd' } },
    additionalProperties: false,
  }

  it('hands schemas on as given, and leaves empty ones out (row 20)', async () => {
    const { request } = await decode({ tools: [tool('a', schema), tool('b', {}), tool('c'), tool('d', null)] })
    expect(request.tools).toEqual([
      {
        functionDeclarations: [
          { name: 'a', parametersJsonSchema: schema },
          { name: 'b' },
          { name: 'c' },
          { name: 'd' },
        ],
      },
    ])
  })

  it('renames what Gemini would refuse, alike everywhere, and back (row 21)', async () => {
    const long = 'n'.repeat(90)
    const { request, shape } = await decode({
      tools: [tool('mcp.server/do it'), tool(long)],
      tool_choice: { type: 'function', function: { name: 'mcp.server/do it' } },
      messages: [
        { role: 'user', content: 'Go' },
        assistantCalls(['a', 'mcp.server/do it', '{}']),
        { role: 'tool', tool_call_id: 'a', content: 'ok' },
      ],
    })
    const names = request.tools?.[0]?.functionDeclarations?.map(({ name }) => name) ?? []
    expect(names[0]).toMatch(/^mcp_server_do_it_[0-9a-f]{6}$/)
    expect(names[1]).toMatch(/^n{57}_[0-9a-f]{6}$/)
    expect(names.map((name) => shape.toolNames.decode(name))).toEqual(['mcp.server/do it', long])
    expect(request.toolConfig?.functionCallingConfig?.allowedFunctionNames).toEqual([names[0]])
    expect(request.contents[1]?.parts?.[0]?.functionCall?.name).toBe(names[0])
    expect(request.contents[2]?.parts?.[0]?.functionResponse?.name).toBe(names[0])
  })

  it('keeps the last of two tools with one name (row 22)', async () => {
    const { request, warned } = await decode({ tools: [tool('a'), tool('a', schema)] })
    expect(request.tools).toEqual([{ functionDeclarations: [{ name: 'a', parametersJsonSchema: schema }] }])
    expect(warned).toEqual(['tools'])
  })

  it('knows code execution and search by every name clients use', async () => {
    const run = async (fields: Record<string, unknown>) => (await decode(fields)).request.tools
    expect(await run({ tools: [tool('codeExecution')] })).toEqual([{ codeExecution: {} }])
    expect(await run({ tools: [{ type: 'code_interpreter' }] })).toEqual([{ codeExecution: {} }])
    expect(await run({ tools: [{ type: 'web_search' }] })).toEqual([{ googleSearch: {} }])
    expect(await run({ web_search_options: {} })).toEqual([{ googleSearch: {} }])
    const both = await decode({ tools: [tool('f')], web_search_options: {} })
    expect(both.request.tools).toEqual([{ functionDeclarations: [{ name: 'f' }] }])
    expect(both.warned).toEqual(['tools'])
  })

  it.each([
    ['none', { mode: 'NONE' }],
    ['auto', { mode: 'AUTO' }],
    ['required', { mode: 'ANY' }],
    [
      { type: 'function', function: { name: 'f' } },
      { mode: 'ANY', allowedFunctionNames: ['f'] },
    ],
    [
      {
        type: 'allowed_tools',
        allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'g' } }] },
      },
      { mode: 'VALIDATED', allowedFunctionNames: ['g'] },
    ],
    [
      { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [{ function: { name: 'g' } }] } },
      { mode: 'ANY', allowedFunctionNames: ['g'] },
    ],
  ])('reads the choice %j', async (choice, config) => {
    const { request } = await decode({ tools: [tool('f'), tool('g')], tool_choice: choice })
    expect(request.toolConfig).toEqual({ functionCallingConfig: config })
  })

  it('asks in words for one call at a time', async () => {
    const { request, shape } = await decode({ tools: [tool('f')], parallel_tool_calls: false })
    expect(request.systemInstruction).toEqual({
      parts: [{ text: 'Call at most one function at a time, then wait for its result.' }],
    })
    expect(shape.singleCall).toBe(true)
  })
})

describe('settings', () => {
  it('takes what Gemini has', async () => {
    const { config, warned } = await decode({
      temperature: 0.2,
      top_p: 0.9,
      seed: 7,
      max_completion_tokens: 9000,
      max_tokens: 10,
      stop: 'END',
      presence_penalty: 0.5,
      logprobs: true,
      top_logprobs: 3,
    })
    expect(config).toEqual({
      temperature: 0.2,
      topP: 0.9,
      seed: 7,
      maxOutputTokens: 9000,
      stopSequences: ['END'],
      presencePenalty: 0.5,
      responseLogprobs: true,
      logprobs: 3,
    })
    expect(warned).toEqual([])
  })

  it('drops sampling on Gemini 3 (row 27), all stops but five (row 32), and says so', async () => {
    const { config, warned } = await decode(
      { temperature: 0.2, stop: ['a', 'b', 'c', 'd', 'e', 'f'], logit_bias: { 50256: -100 }, user: 'u' },
      GEMINI_3,
    )
    expect(config).toEqual({ stopSequences: ['a', 'b', 'c', 'd', 'e'] })
    expect(warned).toEqual(['temperature', 'stop', 'logit_bias'])
  })

  it.each([
    ['none', 'gemini-2.5-pro', { thinkingBudget: 128 }],
    ['none', 'gemini-3.1-pro-preview', { thinkingLevel: 'LOW' }],
    ['high', GEMINI_2, { thinkingBudget: 24_576 }],
    ['minimal', GEMINI_3, { thinkingLevel: 'MINIMAL' }],
  ])('thinks as hard as %s on %s (row 28)', async (effort, name, thinking) => {
    expect((await decode({ reasoning_effort: effort }, name)).config).toEqual({ thinkingConfig: thinking })
  })

  it('lets an explicit budget win over the effort (row 29)', async () => {
    const google = { thinking_config: { thinking_budget: 777, include_thoughts: true } }
    const expected = { thinkingConfig: { thinkingBudget: 777, includeThoughts: true } }
    expect((await decode({ reasoning_effort: 'high', google })).config).toEqual(expected)
    expect((await decode({ reasoning_effort: 'high', extra_body: { google } })).config).toEqual(expected)
  })

  it('thinks least where few tokens are left for the answer (row 30)', async () => {
    const { config, warned } = await decode({ max_tokens: 50 })
    expect(config).toEqual({ maxOutputTokens: 50, thinkingConfig: { thinkingBudget: 0 } })
    expect(warned).toEqual(['max_tokens'])
  })

  it('reads the format, and puts it into words where functions forbid it', async () => {
    const response_format = { type: 'json_schema', json_schema: { name: 'river', schema: { type: 'object' } } }
    expect((await decode({ response_format: { type: 'json_object' } })).config).toEqual({
      responseMimeType: 'application/json',
    })
    expect((await decode({ response_format })).config).toEqual({
      responseMimeType: 'application/json',
      responseJsonSchema: { type: 'object' },
    })
    const both = await decode({ response_format, tools: [{ type: 'function', function: { name: 'f' } }] })
    expect(both.config).toBeUndefined()
    expect(both.request.systemInstruction?.parts).toEqual([
      {
        text: 'Unless you call a function, answer with nothing but JSON that follows this JSON Schema: {"type":"object"}',
      },
    ])
    expect(both.shape.json).toBe(true)
  })

  it('reads modalities', async () => {
    expect((await decode({ modalities: ['text', 'image'] })).config).toEqual({ responseModalities: ['TEXT', 'IMAGE'] })
    const speech = await decode(
      { modalities: ['text', 'audio'], audio: { voice: 'nova', format: 'wav' } },
      'gemini-2.5-flash-preview-tts',
    )
    expect(speech.config).toEqual({
      responseModalities: ['AUDIO'],
      speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: 'Leda' } } },
    })
  })
})

describe('bad input', () => {
  const hi = [{ role: 'user', content: 'Hi' }]
  const part = (piece: unknown) => ({ model: GEMINI_2, messages: [{ role: 'user', content: [piece] }] })
  it.each([
    ['no object', 'text', undefined],
    ['no model', { messages: hi }, 'model'],
    ['no messages', { model: GEMINI_2 }, 'messages'],
    ['empty messages', { model: GEMINI_2, messages: [] }, 'messages'],
    ['messages that say nothing', { model: GEMINI_2, messages: [{ role: 'user', content: '' }] }, 'messages'],
    ['an unknown role', { model: GEMINI_2, messages: [{ role: 'wizard', content: 'Hi' }] }, 'messages[0].role'],
    ['content of a wrong type', { model: GEMINI_2, messages: [{ role: 'user', content: 7 }] }, 'messages[0].content'],
    ['an unknown part', part({ type: 'hologram' }), 'messages[0].content[0].type'],
    ['a part without text', part({ type: 'text' }), 'messages[0].content[0].text'],
    [
      'a picture of no URL',
      part({ type: 'image_url', image_url: { url: 'picture.png' } }),
      'messages[0].content[0].image_url.url',
    ],
    [
      'broken base64 (row 35)',
      part({ type: 'image_url', image_url: { url: 'data:image/png;base64,@@@' } }),
      'messages[0].content[0].image_url.url',
    ],
    [
      'a GIF (row 37)',
      part({
        type: 'image_url',
        image_url: 'data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7',
      }),
      'messages[0].content[0].image_url',
    ],
    ['a stored file', part({ type: 'file', file: { file_id: 'file-1' } }), 'messages[0].content[0].file.file_id'],
    ['temperature of a wrong type', { model: GEMINI_2, messages: hi, temperature: 'hot' }, 'temperature'],
    ['temperature out of range', { model: GEMINI_2, messages: hi, temperature: 3 }, 'temperature'],
    ['two answers (row 31)', { model: GEMINI_2, messages: hi, n: 2 }, 'n'],
    ['an unknown effort', { model: GEMINI_2, messages: hi, reasoning_effort: 'titanic' }, 'reasoning_effort'],
    [
      'a tool named like a method',
      { model: GEMINI_2, messages: hi, tools: [{ type: 'constructor' }] },
      'tools[0].type',
    ],
    ['an unknown tool', { model: GEMINI_2, messages: hi, tools: [{ type: 'mcp' }] }, 'tools[0].type'],
    [
      'a choice nobody offers',
      { model: GEMINI_2, messages: hi, tool_choice: { type: 'function', function: { name: 'f' } } },
      'tool_choice',
    ],
    ['speech of a model that cannot', { model: GEMINI_2, messages: hi, modalities: ['audio'] }, 'modalities'],
  ])('names the field of %s', async (_, body, field) => {
    const failure = await decodeChatRequest(body).catch((error: unknown) => error)
    expect(failure).toMatchObject({ field })
    expect(['invalid_request', 'unsupported']).toContain((failure as { code: string }).code)
  })
})

describe('media', () => {
  it('types every kind of part by its bytes (rows 33, 34, 38, 39)', async () => {
    const wav = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAwF0AAIC7AAACABAAZGF0YQAAAAA='
    const pdf = Buffer.from('%PDF-1.7\n').toString('base64')
    const contents = await contentsOf([
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: `data:image/png;charset=utf-8;base64,${wav}` } },
          { type: 'input_audio', input_audio: { data: `data:audio/x-wav;base64,${wav}`, format: 'wav' } },
          { type: 'input_audio', input_audio: { data: wav.replace(/=/g, ''), format: 'mp3' } },
          { type: 'file', file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${pdf}` } },
          { type: 'input_image', image_url: `data:;base64,${pdf}` },
          { type: 'input_audio', input_audio: { data: 'AAAA', format: 'pcm16' } },
          { type: 'file', file: { filename: 'notes.md', file_data: Buffer.from('# Hi').toString('base64') } },
        ],
      },
    ])
    expect(contents[0]?.parts?.map((part) => part.inlineData?.mimeType)).toEqual([
      'audio/wav',
      'audio/wav',
      'audio/wav',
      'application/pdf',
      'application/pdf',
      'audio/wav',
      'text/markdown',
    ])
  })

  it('keeps remote files as references, and remembers which field named them', async () => {
    const { request, files } = await decodeChatRequest({
      model: GEMINI_2,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
            { type: 'video_url', video_url: 'https://example.com/b.mp4' },
          ],
        },
      ],
    })
    expect(request.contents[0]?.parts).toEqual([
      { text: 'Look' },
      { fileData: { fileUri: 'https://example.com/a.png' } },
      { fileData: { fileUri: 'https://example.com/b.mp4' } },
    ])
    const error = Object.assign(new Error('x'), { fileUri: 'https://example.com/a.png' })
    expect(files.name(error)).toBe(error)
  })

  it('does not send pictures of an earlier answer as text', async () => {
    const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
    const url = `data:image/png;base64,${png}`
    expect(
      await contentsOf([
        { role: 'user', content: 'A cat' },
        {
          role: 'assistant',
          content: `Here:\n![image](${url})\n[video](data:video/mp4;base64,AAAA)`,
          images: [{ type: 'image_url', image_url: { url }, index: 0 }],
        },
        { role: 'user', content: 'Make it blue' },
      ]),
    ).toEqual([
      user('A cat'),
      model('Here:\n\n'),
      { role: 'user', parts: [{ inlineData: { mimeType: 'image/png', data: png } }, { text: 'Make it blue' }] },
    ])
  })
})
