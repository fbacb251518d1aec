import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'

/** Why tests on a real Redis cannot run here; undefined when they can. */
export const redisMissing =
  spawnSync('redis-server', ['--version']).status === 0
    ? undefined
    : 'redis-server is not installed (apt-get install redis-server), so gateways on one Redis are not tested here'

export interface RedisServer {
  url: string
  /** Ends the server with everything written, as an update of the machine does. */
  stop(): Promise<void>
  /** Starts it again with what it had. */
  start(): Promise<void>
  /** Everything it keeps, as text. */
  dump(): Promise<string>
  close(): Promise<void>
}

/** A durable Redis of our own on a free port, gone with `close`. */
export async function startRedis(): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'castor-gateway-redis-'))
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  let server: ChildProcess | undefined

  async function start(): Promise<void> {
    const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder]
    server = spawn('redis-server', [...place, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always'], {
      stdio: 'ignore',
    })
    await withClient((client) => client.ping())
  }
  async function stop(): Promise<void> {
    if (server === undefined || server.exitCode !== null) return
    const ended = new Promise((resolve) => server?.once('exit', resolve))
    server.kill('SIGTERM')
    await ended
  }
  async function withClient<Result>(work: (client: Redis) => Promise<Result>): Promise<Result> {
    const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: 200 })
    client.on('error', () => {})
    try {
      return await work(client)
    } finally {
      client.disconnect()
    }
  }

  await start()
  return {
    url,
    start,
    stop,
    dump: () =>
      withClient(async (client) => {
        const lines: string[] = []
        for (const key of await client.keys('*')) {
          const type = await client.type(key)
          if (type === 'string') lines.push(`${key} ${await client.get(key)}`)
          else if (type === 'hash') lines.push(`${key} ${JSON.stringify(await client.hgetall(key))}`)
          else lines.push(key)
        }
        return lines.join('\n')
      }),
    async close() {
      await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}
