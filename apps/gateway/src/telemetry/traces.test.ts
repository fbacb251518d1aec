import type { Outcome } from '@castorjs/content-generator'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { openTraces, wantsTraces } from './traces.ts'

const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT'
let receiver: Server
let url: string
const received: { path: string | undefined; type: string | undefined; body: string }[] = []
beforeAll(async () => {
  receiver = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      const body = Buffer.concat(pieces).toString('latin1')
      received.push({ path: request.url, type: request.headers['content-type'], body })
      response.end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
})
afterEach(() => {
  delete process.env[ENDPOINT]
})
afterAll(() => new Promise<void>((resolve) => receiver.close(() => resolve())))

async function listen(server: Server, port = 0): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return server
}

const OUTCOME: Outcome = {
  requestId: 'r-1',
  dialect: 'openai',
  method: 'POST',
  path: '/v1/chat/completions',
  caller: 'laptop',
  traceparent: undefined,
  model: 'gemini-2.5-flash',
  served: { upstream: 'gemini-web', account: 'ada', model: '3.6 Flash' },
  stream: true,
  status: 200,
  error: undefined,
  warnings: [],
  usage: undefined,
  media: 0,
  firstChunkMs: 12,
  durationMs: 40,
}

it('sends one span per request to the receiver that the standard variables name', async () => {
  process.env[ENDPOINT] = url
  const traces = await openTraces(process.env, '1.2.3')
  traces?.record('/', OUTCOME)
  await traces?.close()
  expect(received.map(({ path, type }) => ({ path, type }))).toEqual([
    { path: '/v1/traces', type: 'application/x-protobuf' },
  ])
  for (const text of [
    'castor',
    '1.2.3',
    'POST /v1/chat/completions',
    'gemini-2.5-flash',
    '3.6 Flash',
    'ada',
    'first chunk',
  ])
    expect(received[0]?.body).toContain(text)
})

it('goes on with the trace of the caller, unless told not to', async () => {
  process.env[ENDPOINT] = url
  const ids = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331']
  const outcome = { ...OUTCOME, traceparent: `00-${ids.join('-')}-01` }
  const found = async (env: Record<string, string>) => {
    received.length = 0
    const traces = await openTraces({ ...process.env, ...env }, '1.2.3')
    traces?.record('/', outcome)
    await traces?.close()
    return ids.map((id) => received[0]?.body.includes(Buffer.from(id, 'hex').toString('latin1')))
  }
  expect(await found({})).toEqual([true, true])
  expect(await found({ OTEL_PROPAGATORS: 'none' })).toEqual([false, false])
})

it('says so when it is asked for a protocol that it does not speak', async () => {
  process.env[ENDPOINT] = url
  const said: string[] = []
  for (const protocol of ['grpc', 'http/protobuf']) {
    const env = { ...process.env, OTEL_EXPORTER_OTLP_PROTOCOL: protocol }
    await (await openTraces(env, '1.2.3', (text) => void said.push(text)))?.close()
  }
  expect(said).toEqual([expect.stringMatching(/asks for another protocol; traces are sent as http\/protobuf/)])
})

it('counts an empty variable as none, and takes a list with spaces', async () => {
  const empty = [
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL',
    'OTEL_EXPORTER_OTLP_PROTOCOL',
    'OTEL_SERVICE_NAME',
  ]
  const said: string[] = []
  const id = '0af7651916cd43dd8448eb211c80319c'
  for (const propagators of ['', ' ', 'baggage, tracecontext']) {
    Object.assign(process.env, { [ENDPOINT]: url, OTEL_PROPAGATORS: propagators })
    for (const name of empty) process.env[name] = ''
    received.length = 0
    const traces = await openTraces(process.env, '1.2.3', (text) => void said.push(text))
    traces?.record('/', { ...OUTCOME, traceparent: `00-${id}-b7ad6b7169203331-01` })
    await traces?.close()
    const [span] = received
    expect([span?.path, span?.body.includes(Buffer.from(id, 'hex').toString('latin1'))]).toEqual(['/v1/traces', true])
    expect(span?.body).toMatch(/service\.name..castor|service\.name[^a-z]{1,6}castor/)
  }
  expect(said).toEqual([])
  for (const name of [...empty, 'OTEL_PROPAGATORS']) delete process.env[name]
})

it('says once that the collector is away, and once that it is back', async () => {
  const away = await listen(createServer())
  const { port } = away.address() as AddressInfo
  await new Promise((resolve) => away.close(resolve))
  Object.assign(process.env, {
    [ENDPOINT]: `http://user:hunter2@127.0.0.1:${port}/?key=hunter2`,
    OTEL_BSP_SCHEDULE_DELAY: '20',
    // Shorter than the wait before a second try.
    OTEL_EXPORTER_OTLP_TIMEOUT: '300',
  })
  const said: string[] = []
  const traces = await openTraces(process.env, '1.2.3', (text) => void said.push(text))
  const attempt = async (count: number) => {
    for (let turn = 0; turn < count; turn++) {
      traces?.record('/', OUTCOME)
      await pause(100)
    }
  }
  await attempt(5)
  const lost = 'traces are not sent, and are lost until the collector is back (ECONNREFUSED)'
  await expect.poll(() => said).toEqual([lost])
  const back = await listen(
    createServer((_, response) => response.end()),
    port,
  )
  await expect.poll(() => attempt(1).then(() => said)).toEqual([lost, 'traces are sent again'])
  await traces?.close()
  await new Promise((resolve) => back.close(resolve))
  for (const name of ['OTEL_BSP_SCHEDULE_DELAY', 'OTEL_EXPORTER_OTLP_TIMEOUT']) delete process.env[name]
})

it('waits for no collector that takes the spans and never answers', async () => {
  const silent = await listen(createServer())
  process.env[ENDPOINT] = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
  process.env['OTEL_EXPORTER_OTLP_TIMEOUT'] = '600000'
  const traces = await openTraces(process.env, '1.2.3')
  traces?.record('/', OUTCOME)
  await expect(traces?.close()).rejects.toThrow('The collector took nothing within 2 seconds')
  delete process.env['OTEL_EXPORTER_OTLP_TIMEOUT']
  silent.closeAllConnections()
  await new Promise((resolve) => silent.close(resolve))
})

it('sends nothing where the receiver is not a URL, and says which variable that is', async () => {
  const said: string[] = []
  expect(await openTraces({ [ENDPOINT]: 'collector' }, '1.2.3', (text) => void said.push(text))).toBeUndefined()
  expect(said).toEqual([`${ENDPOINT} is not a URL, so no traces are sent`])
})

it('is off, and loads nothing, without an endpoint or when it is switched off', async () => {
  expect(await openTraces({}, '1.2.3')).toBeUndefined()
  expect(wantsTraces({ [ENDPOINT]: url, OTEL_SDK_DISABLED: 'true' })).toBe(false)
  expect(wantsTraces({ [ENDPOINT]: url, OTEL_TRACES_EXPORTER: 'none' })).toBe(false)
  expect(wantsTraces({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/v1/traces` })).toBe(true)
})
