import { serve, type HttpBindings } from '@hono/node-server'
import { createGeminiWebEmulator, type GeminiWebEmulator, type GeminiWebEmulatorOptions } from './emulator.ts'
import { emulatorBaseUrls } from './locate.ts'

export interface StartOptions extends GeminiWebEmulatorOptions {
  /** 0 takes any free port. Default 8765. */
  port?: number
  /** Address to listen on. Default 127.0.0.1. */
  host?: string
}

export interface RunningEmulator {
  /** `http://127.0.0.1:8765` */
  url: string
  port: number
  /** Base URL per host, for a client. */
  hosts: ReturnType<typeof emulatorBaseUrls>
  emulator: GeminiWebEmulator
  /** Ends open replies, closes every connection and the port. */
  close(): Promise<void>
}

/** Serves an emulator on a port. One port stands for all hosts. Rejects when the port is taken. */
export function startGeminiWebEmulator({
  port = 8_765,
  host = '127.0.0.1',
  ...options
}: StartOptions = {}): Promise<RunningEmulator> {
  const emulator = createGeminiWebEmulator(options)
  return new Promise((resolve, reject) => {
    const server = serve(
      {
        fetch(request, bindings) {
          const { socket } = (bindings as HttpBindings).incoming
          return emulator.fetch(request, {
            address: socket.remoteAddress ?? 'local',
            reset: () => socket.resetAndDestroy(),
            socket: true,
          })
        },
        port,
        hostname: host,
        overrideGlobalObjects: false,
      },
      (info) => {
        const url = `http://${host.includes(':') ? `[${host}]` : host}:${info.port}`
        resolve({ url, port: info.port, hosts: emulatorBaseUrls(url), emulator, close })
      },
    )
    server.once('error', reject)
    function close(): Promise<void> {
      emulator.close()
      return new Promise((done) => {
        server.close(() => done())
        if ('closeAllConnections' in server) server.closeAllConnections()
      })
    }
  })
}
