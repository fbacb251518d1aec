import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startStack, type Stack } from './stack.ts'

const ADMIN = 'battery-staple'
const OWN = 'correct-horse'
const PROMPT = 'Repeat exactly: the-secret-of-the-prompt'
const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SECRETS =
  /the-secret-of-the-prompt|correct-horse|battery-staple|g\.a000|sidts-|emulator-(key|access|refresh)|hunter2/

let stack: Stack
let receiver: Server
/** What a collector on OTLP over HTTP was sent. */
const received: { path: string | undefined; headers: NodeJS.Dict<string | string[]>; body: string }[] = []

beforeAll(async () => {
  receiver = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      received.push({ path: request.url, headers: request.headers, body: Buffer.concat(pieces).toString('latin1') })
      response.end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
  process.env['OTEL_EXPORTER_OTLP_HEADERS'] = 'x-team=castor'
  process.env['OTEL_SERVICE_NAME'] = 'castor-under-test'
  process.env['OTEL_BSP_SCHEDULE_DELAY'] = '20'
  stack = await startStack({ config: { apiKeys: [{ id: 'laptop', key: OWN }], adminKey: ADMIN } })
})
afterAll(async () => {
  for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) delete process.env[name]
  await stack.close()
  await new Promise((resolve) => receiver.close(resolve))
})

function send(path: string, body: object, headers: Record<string, string> = {}): Promise<string> {
  return fetch(stack.gateway.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${OWN}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  }).then((answer) => answer.text())
}

async function look(path: string): Promise<string> {
  return (await fetch(stack.gateway.url + path, { headers: { authorization: `Bearer ${ADMIN}` } })).text()
}

const chat = { model: 'gemini-2.5-flash', messages: [{ role: 'user', content: PROMPT }] }

describe('what can be seen from outside', () => {
  beforeAll(async () => {
    await send('/v1/chat/completions', chat, { traceparent: `00-${TRACE}-b7ad6b7169203331-01` })
    await send('/v1/chat/completions', { ...chat, stream: true })
    await send(`/v1beta/models/gemini-2.5-flash:generateContent?key=${OWN}`, {
      contents: [{ parts: [{ text: PROMPT }] }],
    })
    await send('/v1/chat/completions', { ...chat, model: 'made-up' })
    await send('/v1/chat/completions', chat, { authorization: 'Bearer hunter2' })
    await send('/v1/chat/completions', { model: 'gemini-2.5-flash', messages: PROMPT })
    stack.official.controls.answerWith(() => ({ chunks: [[{ text: `I will not draw that: ${PROMPT}` }]] }))
    const drawing = { model: 'gemini-2.5-flash-image', prompt: PROMPT }
    expect(await send('/gemini/v1/images/generations', drawing)).toContain('I will not draw that')
  })

  it('a span for each request, in the trace of its caller, with the names of the conventions', async () => {
    await expect
      .poll(() => received.map(({ body }) => body.split('castor.request_id').length - 1).reduce((a, b) => a + b, 0))
      .toBe(7)
    for (const { path, headers } of received) {
      expect([path, headers['content-type'], headers['x-team']]).toEqual([
        '/v1/traces',
        'application/x-protobuf',
        'castor',
      ])
    }
    const all = received.map(({ body }) => body).join('')
    for (const text of [
      'castor-under-test',
      Buffer.from(TRACE, 'hex').toString('latin1'),
      'gen_ai.request.model',
      'gen_ai.usage.input_tokens',
      'http.response.status_code',
      'invalid_request',
      'ada',
      'laptop',
    ])
      expect(all).toContain(text)
  })

  it('metrics whose names, units and labels are as Prometheus has them', async () => {
    const text = await look('/metrics')
    const own = [...text.matchAll(/^# TYPE (castor_\S+) (\w+)$/gm)].map(([, name, type]) => `${name} ${type}`)
    for (const line of [
      'castor_requests_total counter',
      'castor_first_chunk_seconds histogram',
      'castor_request_seconds histogram',
      'castor_tokens_total counter',
      'castor_media_total counter',
      'castor_account_state gauge',
      'castor_state_up gauge',
      'castor_process_cpu_seconds_total counter',
    ])
      expect(own).toContain(line)
    for (const line of own) expect(line).toMatch(/^[a-z][a-z0-9_]* (counter|gauge|histogram|summary)$/)
    for (const name of own.filter((line) => line.endsWith(' counter'))) expect(name).toMatch(/_total counter$/)
    expect(text).toMatch(/^castor_state_up 1$/m)
    expect(text).toMatch(/^castor_account_state\{upstream="code-assist",account="demo",state="ready"\} 1$/m)
    expect(text).toMatch(
      /^castor_requests_total\{dialect="openai",upstream="gemini-web",model="gemini-2.5-flash",status="200",code=""\} 2$/m,
    )
    expect(text).toMatch(
      /^castor_requests_total\{dialect="openai",upstream="gemini-web",model="\(other\)",status="404",code="model_not_found"\} 1$/m,
    )
    expect(text).toMatch(
      /^castor_requests_total\{dialect="openai",upstream="-",model="-",status="401",code="unauthenticated"\} 1$/m,
    )
    expect(text).not.toContain('made-up')
  })

  it('health and readiness, without a key', async () => {
    const health = await fetch(`${stack.gateway.url}/health`)
    expect([health.status, await health.json()]).toEqual([
      200,
      {
        status: 'ok',
        demo: true,
        state: { home: 'file', ok: true, since: expect.any(Number) as number, warnings: [] },
      },
    ])
    const ready = await fetch(`${stack.gateway.url}/ready`)
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true }])
  })

  it('labels of accounts and callers in the log', () => {
    const lines = stack.logLines.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines.find(({ msg }) => msg === 'answered')).toMatchObject({
      caller: 'laptop',
      account: 'ada',
      upstream: 'gemini-web',
    })
  })

  it('no prompt, answer, key, cookie or token anywhere', async () => {
    const shown = await Promise.all(
      ['/metrics', '/health', '/ready', '/api/usage', '/api/keys', '/api/accounts', '/api/info'].map(look),
    )
    for (const text of [...shown, ...stack.logLines, ...received.map(({ body }) => body)])
      expect(text).not.toMatch(SECRETS)
  })
})
