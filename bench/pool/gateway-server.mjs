// One measured server: `parts` is the OpenAI handler over the official client, with or without pool and limits around it;
// `gateway` is the gateway as it is shipped, on the web app's emulator.
import { createAccountPool } from '@castorjs/account-pool'
import { withAccounts } from '@castorjs/account-pool/content-generator'
import { parseConfig, startGateway } from '@castorjs/gateway'
import { createGeminiApiGenerator } from '@castorjs/gemini-api-client'
import { emulatorBaseUrls } from '@castorjs/gemini-web-emulator'
import { createNodeTransport } from '@castorjs/http-transport/node'
import { createOpenAIHandler } from '@castorjs/openai-adapter'
import { createRequestLimits } from '@castorjs/request-limits'
import { serve } from '@hono/node-server'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const { kind, guarded, accounts = [], redisUrl } = JSON.parse(process.env.VARIANT)
// Far away, and counted all the same.
const pacing = guarded
  ? { egressPerMinute: 1e6, perHour: 1e6, perDay: 1e7 }
  : { egressPerMinute: false, perHour: false, perDay: false }
const limits = { perHour: guarded ? 1e9 : false, modelSpacingMs: false }

function startParts() {
  const transport = createNodeTransport()
  const create = () => createGeminiApiGenerator({ apiKey: 'key', transport, baseUrl: process.env.UPSTREAM_URL })
  let generator = create()
  if (guarded) {
    const members = Array.from({ length: 20 }, (_, index) => ({ id: `key-${index}`, value: create() }))
    const pool = createAccountPool({ accounts: members, policy: { ...pacing, maxConcurrent: 1_000 } })
    const pooled = withAccounts(pool, (value) => value)
    const counted = createRequestLimits(limits)
    generator = {
      ...pooled,
      async *generateContentStream(request, options) {
        const { allowed, headers } = await counted.check('anyone', request.model)
        if (!allowed) throw new Error('refused')
        options.onHeaders?.(headers)
        yield* pooled.generateContentStream(request, options)
      },
    }
  }
  const handler = createOpenAIHandler({ generator, authorize: 'anyone' })
  return new Promise((resolve) =>
    serve({ fetch: handler, hostname: '127.0.0.1', port: 0 }, ({ port }) => resolve(port)),
  )
}

async function startWhole() {
  const gateway = await startGateway(
    parseConfig({
      host: '127.0.0.1',
      port: 0,
      dataDir: mkdtempSync(join(tmpdir(), 'castor-bench-')),
      accounts,
      geminiWeb: { baseUrls: emulatorBaseUrls(process.env.EMULATOR_URL), maxConcurrent: 1_000 },
      limits,
      pacing,
      renewal: { startAfterMs: 3_600_000 },
      log: { level: 'warn', format: 'json' },
      ...(redisUrl === undefined
        ? {}
        : { state: { redisUrl, keys: [{ id: 'bench', key: Buffer.alloc(32, 'k').toString('base64') }] } }),
    }),
  )
  return gateway.port
}

process.send({ port: await (kind === 'parts' ? startParts() : startWhole()) })
process.on('disconnect', () => process.exit())
