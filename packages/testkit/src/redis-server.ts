import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis, type RedisOptions } from 'ioredis'

/** Why tests on a real Redis cannot run here; undefined when they can. Skip them with it, and say it. */
export const redisMissing: string | undefined =
  spawnSync('redis-server', ['--version']).status === 0
    ? undefined
    : 'redis-server is not installed (apt-get install redis-server): what needs a Redis is not tested here'

export interface RedisServer {
  port: number
  url: string
  /** A client for the test's own looks and settings. */
  client: Redis
  /** One more of them, gone with `close`. */
  connect(options?: RedisOptions): Redis
  /** Ends the server with everything written, as an update of the machine does. */
  stop(): Promise<void>
  /** Ends it as a loss of power does. */
  kill(): Promise<void>
  /** Starts it again on the same port: with what it had when it is durable, else empty. */
  start(): Promise<void>
  /** Everything it keeps, as text. */
  dump(): Promise<string>
  close(): Promise<void>
}

export interface RedisServerOptions {
  /** Writes every change to disk before it answers. Default false. */
  durable?: boolean
  /** More of what `redis-server` takes. */
  args?: readonly string[]
}

/** A real redis-server of our own on a free loopback port, gone with `close`. */
export async function startRedis({ durable = false, args = [] }: RedisServerOptions = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'castor-redis-'))
  const port = await freePort()
  const clients = new Set<Redis>()
  let server: ChildProcess | undefined

  function connect(options: RedisOptions = {}): Redis {
    const made = new Redis(port, '127.0.0.1', { retryStrategy: () => 20, maxRetriesPerRequest: null, ...options })
    made.on('error', () => {})
    clients.add(made)
    return made
  }

  async function start(): Promise<void> {
    const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '']
    const writing = durable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no']
    server = spawn('redis-server', [...place, ...writing, ...args], { stdio: 'ignore' })
    await client.ping()
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return
    const ended = new Promise((resolve) => server?.once('exit', resolve))
    server.kill(signal)
    await ended
  }

  const client = connect()
  await start()
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    client,
    connect,
    start,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    dump: () => dump(client),
    async close() {
      for (const each of clients) each.disconnect()
      await end('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function dump(client: Redis): Promise<string> {
  const lines: string[] = []
  for (const key of await client.keys('*')) {
    const type = await client.type(key)
    if (type === 'string') lines.push(`${key} ${await client.get(key)}`)
    else if (type === 'hash') lines.push(`${key} ${JSON.stringify(await client.hgetall(key))}`)
    else if (type === 'set') lines.push(`${key} ${JSON.stringify(await client.smembers(key))}`)
    else if (type === 'zset') lines.push(`${key} ${JSON.stringify(await client.zrange(key, '0', '-1'))}`)
    else lines.push(key)
  }
  return lines.join('\n')
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}
