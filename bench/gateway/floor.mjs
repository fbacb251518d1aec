// The least that could do the job: hono + undici, one handler that sends a fixed StreamGenerate form upstream and
// forwards the emulator's stream as it is. No decoding, no dialect, no cookies kept, no errors.
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { Readable } from 'node:stream'
import { Pool } from 'undici'

const emulator = new URL(process.env.EMULATOR_URL)
const request = JSON.parse(process.env.FLOOR_REQUEST)
const pool = new Pool(emulator.origin, { connections: 600, headersTimeout: 0, bodyTimeout: 0 })

const app = new Hono()
app.post('/v1/chat/completions', async (context) => {
  const { messages, stream } = await context.req.json()
  const inner = JSON.parse(request.inner)
  inner[0][0] = messages.at(-1).content
  const form = new URLSearchParams({ 'f.req': JSON.stringify([null, JSON.stringify(inner)]), at: request.token })
  const answer = await pool.request({
    path: request.path,
    method: 'POST',
    headers: request.headers,
    body: form.toString(),
  })
  if (!stream) return context.json({ body: await answer.body.text() })
  return new Response(Readable.toWeb(answer.body), { headers: { 'content-type': 'text/event-stream' } })
})
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => process.send({ port }))
process.on('disconnect', () => server.closeAllConnections?.() ?? process.exit())
