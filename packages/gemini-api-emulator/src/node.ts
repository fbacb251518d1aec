import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { serve, type HttpBindings } from '@hono/node-server'
import type { AddressInfo } from 'node:net'
import type { EmulatorControls, Operation } from './controls.ts'
import { createGeminiApiEmulator, type GeminiApiEmulator, type GeminiApiEmulatorOptions } from './emulator.ts'
import { isObject } from './strict/message.ts'

export interface StartOptions extends GeminiApiEmulatorOptions {
  /** Default 0: any free port. */
  port?: number
  /** Default 127.0.0.1. */
  host?: string
}

export interface RunningEmulator {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string
  readonly controls: GeminiApiEmulator['controls']
  close(): Promise<void>
}

/**
 * The emulator on a port. `POST /_emulator/faults` with `{fault, times?, at?}` plans a fault, `DELETE` forgets all.
 */
export async function startGeminiApiEmulator({
  port = 0,
  host = '127.0.0.1',
  ...options
}: StartOptions = {}): Promise<RunningEmulator> {
  const emulator = createGeminiApiEmulator(options)

  async function handle(request: Request, env: HttpBindings): Promise<Response> {
    if (new URL(request.url).pathname === '/_emulator/faults') return plan(request)
    try {
      return await emulator.fetch(request)
    } catch {
      // A reset before the headers, or a caller who has left: there is nothing to answer.
      env.outgoing.destroy()
      return RESPONSE_ALREADY_SENT
    }
  }

  async function plan(request: Request): Promise<Response> {
    if (request.method === 'DELETE') emulator.controls.clear()
    else {
      const body: unknown = await request.json().catch(() => undefined)
      if (!isFaultOrder(body)) return new Response('Send {"fault":{"kind":…},"times"?,"at"?}', { status: 400 })
      const { fault, times, at } = body
      emulator.controls.fail(fault, { ...(times === undefined ? {} : { times }), ...(at === undefined ? {} : { at }) })
    }
    return new Response(null, { status: 204 })
  }

  const { promise: listening, resolve, reject } = withResolvers<AddressInfo>()
  const server = serve({ fetch: (request, env) => handle(request, env as HttpBindings), port, hostname: host }, resolve)
  server.once('error', reject)
  const address = await listening
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    controls: emulator.controls,
    async close() {
      await emulator.close()
      const closed = new Promise<void>((done) => server.close(() => done()))
      if ('closeAllConnections' in server) server.closeAllConnections()
      await closed
    },
  }
}

interface FaultOrder {
  fault: Parameters<EmulatorControls['fail']>[0]
  times?: number
  at?: Operation
}

function isFaultOrder(body: unknown): body is FaultOrder {
  return isObject(body) && isObject(body.fault) && typeof body.fault.kind === 'string'
}

function withResolvers<Value>(): {
  promise: Promise<Value>
  resolve: (value: Value) => void
  reject: (error: Error) => void
} {
  let resolve: (value: Value) => void = () => undefined
  let reject: (error: Error) => void = () => undefined
  const promise = new Promise<Value>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
