import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'

/** Why there is no Redis to test with; nothing when there is. */
export const REDIS_MISSING =
  spawnSync('redis-server', ['--version']).status === 0
    ? undefined
    : 'redis-server is not installed (apt-get install redis-server)'

export interface RedisServer {
  port: number
  url: string
  /** A client of the test's own. */
  client: Redis
  kill(): Promise<void>
  /** Starts it again on the same port, with what it wrote to disk. */
  start(): Promise<void>
  stop(): Promise<void>
}

/** A real redis-server on a free loopback port, writing every change to disk before it answers. */
export async function startRedis(args: readonly string[] = []): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'castor-redis-'))
  const port = await freePort()
  let child: ChildProcess | undefined
  const client = new Redis(port, '127.0.0.1', { retryStrategy: () => 20, maxRetriesPerRequest: null })
  client.on('error', () => undefined)

  async function start(): Promise<void> {
    const config = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'yes',
      '--appendfsync',
      'always',
      '--dir',
      directory,
    ]
    child = spawn('redis-server', [...config, ...args], { stdio: 'ignore' })
    await client.ping()
  }

  async function kill(): Promise<void> {
    const running = child
    if (running === undefined) return
    child = undefined
    const gone = new Promise((resolve) => running.once('exit', resolve))
    running.kill('SIGKILL')
    await gone
  }

  await start()
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    client,
    kill,
    start,
    async stop() {
      client.disconnect()
      await kill()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
