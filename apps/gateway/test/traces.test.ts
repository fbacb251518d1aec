import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { bundleCli, killCli, startCli, type Cli, type CliProcess } from './cli-process.ts'

// Traces of a gateway of its own, set up in `.env` alone.

let cli: Cli
let folder: string
let collector: Server
let gateway: CliProcess | undefined
beforeAll(async () => {
  cli = await bundleCli()
})
afterAll(() => cli.remove())
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'castor-traces-'))
})
afterEach(async () => {
  if (gateway !== undefined) await killCli(gateway)
  collector.closeAllConnections()
  await new Promise((resolve) => collector.close(resolve))
  rmSync(folder, { recursive: true, force: true })
})

/** A gateway whose one request, for a model that nobody has, is answered and waits to be sent. */
async function serve(answer: RequestListener): Promise<CliProcess> {
  collector = createServer(answer)
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
  const lines = [
    `OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
    'OTEL_SERVICE_NAME=named-in-dotenv',
    // Nothing is sent before the end.
    'OTEL_BSP_SCHEDULE_DELAY=600000',
  ]
  writeFileSync(join(folder, '.env'), `\ufeff${lines.join('\n')}\n`)
  gateway = startCli(cli, ['serve'], folder, { HOST: '127.0.0.1', PORT: '0', OTEL_SERVICE_NAME: '' })
  const url = (await gateway.said(/serves at (http:\S+?)"/))[1] ?? ''
  const body = JSON.stringify({ model: 'made-up', messages: [{ role: 'user', content: 'Hello' }] })
  await (await fetch(`${url}/v1/chat/completions`, { method: 'POST', body })).text()
  return gateway
}

it('are sent where .env says, the last ones at the end', async () => {
  let received = ''
  const { child, ended } = await serve((request, response) => {
    request.on('data', (piece: Buffer) => (received += piece.toString('latin1')))
    request.on('end', () => response.end())
  })
  child.kill('SIGTERM')
  expect((await ended).code).toBe(0)
  for (const text of ['named-in-dotenv', 'POST /v1/chat/completions']) expect(received).toContain(text)
})

it('do not hold up the end where the collector never answers', async () => {
  const { child, ended } = await serve(() => undefined)
  child.kill('SIGTERM')
  const { code, text } = await ended
  expect([code, text]).toEqual([
    0,
    expect.stringMatching(/took nothing within 2 seconds.*the last traces were not sent/),
  ])
})
