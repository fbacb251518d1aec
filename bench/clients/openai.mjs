// Runs inside the folder run.mjs installs into, on a newer Node: OpenAI's own SDK against one mount. One line per check.
import assert from 'node:assert/strict'

// Installed beside this file by run.mjs; no dependency of ours.
const SDK = 'openai'
const { default: OpenAI, APIError, APIUserAbortError } = await import(SDK)
const { BASE_URL: baseURL, API_KEY: apiKey, MODEL: model, EMBEDDING: embedding, SAMPLES } = process.env
const openai = new OpenAI({ apiKey, baseURL, maxRetries: 0 })
const samples = JSON.parse(SAMPLES)
const user = (content) => ({ role: 'user', content })
const ask = (content, more) => openai.chat.completions.create({ model, messages: [user(content)], ...more })

async function check(name, work) {
  try {
    await work()
    console.log(`ok ${name}`)
  } catch (error) {
    const text = String(error.message ?? error).replace(/\s+/g, ' ')
    console.log(`failed ${name}: ${text.slice(0, 300)}`)
    process.exitCode = 1
  }
}

await check('text', async () => {
  const { choices, usage } = await ask('Good morning')
  assert.equal(choices[0].message.content, 'You said: Good morning')
  assert.equal(choices[0].finish_reason, 'stop')
  assert.ok(usage.completion_tokens > 0)
})

await check('stream with usage', async () => {
  const stream = await ask('a b c d e f', { stream: true, stream_options: { include_usage: true } })
  let text = ''
  let usage
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? ''
    usage = chunk.usage ?? usage
  }
  assert.equal(text, 'You said: a b c d e f')
  assert.ok(usage.total_tokens > 0)
})

const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const tools = [{ type: 'function', function: { name: 'get_weather', parameters } }]

for (const stream of [false, true]) {
  await check(`parallel calls and their results, ${stream ? 'streamed' : 'whole'}`, async () => {
    const question = user('the weather in Oslo and Rome')
    const message = stream
      ? await openai.chat.completions
          .stream({ model, tools, messages: [question] })
          .finalChatCompletion()
          .then(({ choices }) => choices[0].message)
      : (await openai.chat.completions.create({ model, tools, messages: [question] })).choices[0].message
    assert.deepEqual(
      message.tool_calls.map((call) => JSON.parse(call.function.arguments).city),
      ['Oslo', 'Rome'],
    )
    // In the wrong order, and without whatever else came with the calls: a plain client keeps no signatures.
    const results = message.tool_calls
      .toReversed()
      .map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'sunny' }))
    const calls = message.tool_calls.map(({ id, type, function: { name, arguments: text } }) => ({
      id,
      type,
      function: { name, arguments: text },
    }))
    const assistant = { role: 'assistant', content: null, tool_calls: calls }
    const next = await openai.chat.completions.create({ model, tools, messages: [question, assistant, ...results] })
    assert.match(next.choices[0].message.content, /get_weather said/)
  })
}

for (const [mimeType, data] of Object.entries(samples)) {
  await check(`${mimeType} in image_url, labelled image/png`, async () => {
    const url = `data:image/png;base64,${data}`
    const { choices } = await ask([
      { type: 'text', text: 'look' },
      { type: 'image_url', image_url: { url } },
    ])
    assert.match(choices[0].message.content, new RegExp(`I see ${mimeType.replace(/[/+]/g, '.')}`))
  })
}

await check('input_audio and file parts', async () => {
  const { choices } = await ask([
    { type: 'input_audio', input_audio: { data: samples['audio/wav'], format: 'wav' } },
    {
      type: 'file',
      file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${samples['application/pdf']}` },
    },
    { type: 'text', text: 'look' },
  ])
  assert.match(choices[0].message.content, /audio\/wav of \d+ bytes, application\/pdf/)
})

await check('JSON schema', async () => {
  const schema = {
    type: 'object',
    properties: { n: { type: 'integer' } },
    required: ['n'],
    additionalProperties: false,
  }
  const response_format = { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } }
  const completion = await openai.chat.completions.parse({ model, messages: [user('x')], response_format })
  assert.deepEqual(completion.choices[0].message.parsed ?? JSON.parse(completion.choices[0].message.content), { n: 1 })
})

await check('code execution, called as a function', async () => {
  const { choices } = await ask('sum of the first 50 prime numbers, run code', {
    tools: [{ type: 'function', function: { name: 'codeExecution' } }],
  })
  assert.match(choices[0].message.content, /5117/)
})

await check('models', async () => {
  const ids = []
  for await (const { id } of openai.models.list()) ids.push(id)
  assert.ok(ids.includes(model))
  assert.equal((await openai.models.retrieve(model)).id, model)
})

if (embedding) {
  await check('embeddings, as the SDK asks for them (base64) and as numbers', async () => {
    const [packed, plain] = await Promise.all([
      openai.embeddings.create({ model: embedding, input: ['a', 'b'] }),
      openai.embeddings.create({ model: embedding, input: 'a', encoding_format: 'float' }),
    ])
    assert.equal(packed.data.length, 2)
    assert.ok(Math.abs(packed.data[0].embedding[0] - plain.data[0].embedding[0]) < 1e-6)
  })
}

await check('errors', async () => {
  const wrong = new OpenAI({ apiKey: 'wrong', baseURL, maxRetries: 0 })
  const isError = (status, code) => (error) =>
    error instanceof APIError && error.status === status && error.code === code
  const body = { model, messages: [user('x')] }
  await assert.rejects(wrong.chat.completions.create(body), isError(401, 'invalid_api_key'))
  await assert.rejects(ask('x', { model: 'gemini-0-none' }), isError(404, 'model_not_found'))
  await assert.rejects(
    openai.chat.completions.create({ model, messages: 'x' }),
    (error) => error.status === 400 && error.param.startsWith('messages'),
  )
})

await check('abort', async () => {
  const controller = new AbortController()
  const stream = await openai.chat.completions.create(
    { model, stream: true, messages: [user('x '.repeat(2_000))] },
    { signal: controller.signal },
  )
  let read = 0
  try {
    for await (const chunk of stream) if (chunk && ++read === 2) controller.abort()
  } catch (error) {
    assert.ok(error instanceof APIUserAbortError)
  }
  assert.ok(read < 100)
})
