// Runs inside the folder run.mjs installs into, on a newer Node. Prints one line per check.
import assert from 'node:assert/strict'

// Installed beside this file by run.mjs; no dependency of the package.
const { ApiError, GoogleGenAI } = await import(['@google', 'genai'].join('/'))

const { BASE_URL: baseUrl, API_KEY: apiKey } = process.env
const ai = new GoogleGenAI({ apiKey, httpOptions: { baseUrl } })
const model = 'gemini-3.8-flash'
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

async function check(name, work) {
  try {
    await work()
    console.log(`ok ${name}`)
  } catch (error) {
    console.log(
      `failed ${name}: ${String(error.message ?? error)
        .replace(/\s+/g, ' ')
        .slice(0, 300)}`,
    )
    process.exitCode = 1
  }
}

await check('text', async () => {
  assert.equal((await ai.models.generateContent({ model, contents: 'Good morning' })).text, 'You said: Good morning')
})

await check('stream', async () => {
  let text = ''
  for await (const chunk of await ai.models.generateContentStream({ model, contents: 'a b c d e f' }))
    text += chunk.text ?? ''
  assert.equal(text, 'You said: a b c d e f')
})

await check('parallel calls with signatures, in a chat', async () => {
  const parametersJsonSchema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
  const chat = ai.chats.create({
    model,
    config: { tools: [{ functionDeclarations: [{ name: 'get_weather', parametersJsonSchema }] }] },
  })
  const answer = await chat.sendMessage({ message: 'the weather in Oslo and Rome' })
  assert.deepEqual(
    answer.functionCalls.map(({ args }) => args.city),
    ['Oslo', 'Rome'],
  )
  const message = answer.functionCalls.map(({ id, name }) => ({
    functionResponse: { id, name, response: { output: 'sunny' } },
  }))
  assert.match((await chat.sendMessage({ message })).text, /get_weather said/)
})

await check('a picture in, one out', async () => {
  const seen = await ai.models.generateContent({
    model,
    contents: [{ inlineData: { mimeType: 'image/png', data: PNG } }, 'look'],
  })
  assert.match(seen.text, /image\/png of 70 bytes/)
  const drawn = await ai.models.generateContent({ model: 'gemini-nano-banana-2.1', contents: 'a cat' })
  assert.equal(drawn.candidates[0].content.parts.at(-1).inlineData.mimeType, 'image/png')
})

await check('JSON schema', async () => {
  const responseJsonSchema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }
  const config = { responseMimeType: 'application/json', responseJsonSchema }
  assert.deepEqual(JSON.parse((await ai.models.generateContent({ model, contents: 'x', config })).text), { n: 1 })
})

await check('code execution', async () => {
  const config = { tools: [{ codeExecution: {} }] }
  const answer = await ai.models.generateContent({
    model,
    contents: 'sum of the first 50 prime numbers, run code',
    config,
  })
  assert.equal(answer.codeExecutionResult, '5117\n')
})

await check('models, tokens, embeddings', async () => {
  const names = []
  for await (const { name } of await ai.models.list({ config: { pageSize: 5 } })) names.push(name)
  assert.ok(names.includes('models/gemini-2.5-pro'))
  assert.equal((await ai.models.get({ model })).name, `models/${model}`)
  assert.equal((await ai.models.countTokens({ model, contents: 'abcd' })).totalTokens, 1)
  assert.ok(
    (await ai.models.embedContent({ model: 'gemini-embedding-2', contents: 'a' })).embeddings[0].values.length > 100,
  )
})

await check('errors', async () => {
  const wrong = new GoogleGenAI({ apiKey: 'wrong', httpOptions: { baseUrl } })
  const isStatus = (status) => (error) => error instanceof ApiError && error.status === status
  await assert.rejects(wrong.models.generateContent({ model, contents: 'x' }), isStatus(400))
  await assert.rejects(ai.models.generateContent({ model: 'gemini-2.0-flash', contents: 'x' }), isStatus(404))
})

await check('abort', async () => {
  const abort = new AbortController()
  const stream = await ai.models.generateContentStream({ model, contents: 'x', config: { abortSignal: abort.signal } })
  abort.abort()
  await assert.rejects(async () => {
    for await (const chunk of stream) void chunk
  })
})
