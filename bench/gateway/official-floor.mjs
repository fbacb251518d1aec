// The least that could do the job: hono + undici, OpenAI or native in, the official API out, the same translation and
// nothing else. No checks, no accounts, no errors, no tools, no media.
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { Readable } from 'node:stream'
import { Pool } from 'undici'

const pool = new Pool(process.env.UPSTREAM_URL, { connections: 600, headersTimeout: 0, bodyTimeout: 0 })
const headers = { 'content-type': 'application/json', 'x-goog-api-key': 'key' }
const REASONS = { STOP: 'stop', MAX_TOKENS: 'length', SAFETY: 'content_filter' }

const app = new Hono()

app.post('/v1beta/models/*', async (context) => {
  const { search, pathname } = new URL(context.req.url)
  const body = await context.req.text()
  JSON.parse(body)
  const answer = await pool.request({ path: pathname + search, method: 'POST', headers, body })
  return new Response(Readable.toWeb(answer.body), { headers: { 'content-type': answer.headers['content-type'] } })
})

app.post('/v1/chat/completions', async (context) => {
  const request = await context.req.json()
  const id = `chatcmpl-${crypto.randomUUID()}`
  const created = Math.floor(Date.now() / 1000)
  const method = request.stream ? 'streamGenerateContent?alt=sse' : 'generateContent'
  const answer = await pool.request({
    path: `/v1beta/models/${request.model}:${method}`,
    method: 'POST',
    headers,
    body: JSON.stringify(toGemini(request)),
  })
  if (!request.stream) {
    const { candidates, usageMetadata } = await answer.body.json()
    const message = { role: 'assistant', content: candidates[0].content.parts.map(({ text }) => text).join('') }
    return context.json({
      id,
      object: 'chat.completion',
      created,
      model: request.model,
      choices: [{ index: 0, message, finish_reason: REASONS[candidates[0].finishReason] }],
      usage: toUsage(usageMetadata),
    })
  }
  const envelope = { id, object: 'chat.completion.chunk', created, model: request.model }
  return new Response(ReadableStream.from(toEvents(answer.body, envelope)), {
    headers: { 'content-type': 'text/event-stream' },
  })
})

function toGemini({ messages, temperature, max_tokens }) {
  const contents = messages
    .filter(({ role }) => role !== 'system')
    .map(({ role, content }) => ({ role: role === 'assistant' ? 'model' : 'user', parts: [{ text: content }] }))
  const system = messages.filter(({ role }) => role === 'system').map(({ content }) => ({ text: content }))
  return {
    contents,
    ...(system.length === 0 ? {} : { systemInstruction: { parts: system } }),
    generationConfig: { temperature, maxOutputTokens: max_tokens },
  }
}

function toUsage({ promptTokenCount, candidatesTokenCount, totalTokenCount }) {
  return { prompt_tokens: promptTokenCount, completion_tokens: candidatesTokenCount, total_tokens: totalTokenCount }
}

async function* toEvents(body, envelope) {
  const decoder = new TextDecoder()
  const encoder = new TextEncoder()
  let rest = ''
  for await (const bytes of body) {
    rest += decoder.decode(bytes, { stream: true })
    const events = rest.split('\r\n\r\n')
    rest = events.pop()
    let out = ''
    for (const event of events) {
      const { candidates } = JSON.parse(event.slice('data: '.length))
      const content = candidates[0].content.parts.map(({ text }) => text).join('')
      const finish_reason = REASONS[candidates[0].finishReason] ?? null
      out += `data: ${JSON.stringify({ ...envelope, choices: [{ index: 0, delta: { content }, finish_reason }] })}\n\n`
    }
    if (out !== '') yield encoder.encode(out)
  }
  yield encoder.encode('data: [DONE]\n\n')
}

const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => process.send({ port }))
process.on('disconnect', () => server.closeAllConnections?.() ?? process.exit())
