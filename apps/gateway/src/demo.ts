import { startGeminiApiEmulator } from '@castorjs/gemini-api-emulator/node'
import { DEMO_ACCOUNTS, emulatorBaseUrls, type DrawMark } from '@castorjs/gemini-web-emulator'
import { startGeminiWebEmulator } from '@castorjs/gemini-web-emulator/node'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { parseConfig } from './config.ts'
import { startGateway, type Gateway } from './gateway.ts'
import { drawVisibleMark } from './media/draw-mark.ts'

export interface DemoOptions {
  /** 0 takes any free port. */
  port: number
  emulatorPort: number
  log?: Logger
  /** Changes to the gateway's configuration. */
  config?: Record<string, unknown>
  /** Marks the emulator's pictures. Default: as the web app does. */
  drawMark?: DrawMark
}

/** A gateway on emulators of all three upstreams: no account, no network. */
export interface Demo {
  gateway: Gateway
  web: Awaited<ReturnType<typeof startGeminiWebEmulator>>
  official: Awaited<ReturnType<typeof startGeminiApiEmulator>>
  close: (graceMs?: number) => Promise<void>
}

/** Public and worth nothing: they open an emulator. */
const EMULATOR_KEY = 'emulator-key'
const EMULATOR_LOGIN = { access_token: 'emulator-access-token', refresh_token: 'emulator-refresh-token' }

/**
 * Starts everything on loopback.
 *
 * @throws Node's own error when a port is taken.
 */
export async function startDemo({
  port,
  emulatorPort,
  log,
  config = {},
  drawMark = drawVisibleMark,
}: DemoOptions): Promise<Demo> {
  const closers: (() => Promise<unknown>)[] = []
  const end = async (): Promise<void> => {
    for (const close of closers.toReversed()) await close()
  }
  try {
    const dataDir = await mkdtemp(join(tmpdir(), 'castor-demo-'))
    closers.push(() => rm(dataDir, { recursive: true, force: true }))
    const web = await startGeminiWebEmulator({ port: emulatorPort, drawMark })
    closers.push(() => web.close())
    const official = await startGeminiApiEmulator()
    closers.push(() => official.close())
    const credentialsFile = join(dataDir, 'code-assist.json')
    await writeFile(credentialsFile, JSON.stringify(EMULATOR_LOGIN), { mode: 0o600 })

    const { geminiWeb, ...rest } = config
    const gateway = await startGateway(
      parseConfig({
        host: '127.0.0.1',
        port,
        dataDir,
        accounts: DEMO_ACCOUNTS.map(({ name, session, ticket }) => ({
          label: name,
          secure1psid: session,
          ...(ticket === null ? {} : { secure1psidts: ticket }),
        })),
        geminiApi: { keys: [{ label: 'demo', key: EMULATOR_KEY }], baseUrl: official.url },
        codeAssist: {
          accounts: [{ label: 'demo', credentialsFile }],
          clientId: 'demo',
          clientSecret: 'demo',
          baseUrl: official.url,
          tokenUrl: `${official.url}/token`,
        },
        // The upstreams are ours: nothing has to be spared.
        limits: { perHour: false, modelSpacingMs: false },
        pacing: { egressPerMinute: false, perHour: false, perDay: false },
        remoteFiles: { allowPrivate: ['127.0.0.0/8'] },
        ...rest,
        geminiWeb: { baseUrls: emulatorBaseUrls(web.url), ...(geminiWeb as object | undefined) },
      }),
      { demo: true, ...(log === undefined ? {} : { log }) },
    )
    return {
      gateway,
      web,
      official,
      async close(graceMs) {
        await gateway.close(graceMs)
        await end()
      },
    }
  } catch (error) {
    await end()
    throw error
  }
}
