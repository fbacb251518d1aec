import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis, type RedisOptions } from 'ioredis'

/** Why tests on a real Redis cannot run here; undefined when they can. */
export const redisMissing =
  spawnSync('redis-server', ['--version']).status === 0
    ? undefined
    : 'redis-server is not installed (apt-get install redis-server), so the Redis home is not tested here'

export interface RedisServer {
  connect(options?: RedisOptions): Redis
  /** Kills the server, and starts it again empty on the same socket. */
  crash(): Promise<void>
  revive(): Promise<void>
  stop(): Promise<void>
}

/** A Redis of our own on a socket in a fresh folder, gone with `stop`. */
export async function startRedis(): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'castor-pool-redis-'))
  const path = join(folder, 'redis.sock')
  const clients: Redis[] = []
  let server: ChildProcess | undefined

  function connect(options: RedisOptions = {}): Redis {
    const client = new Redis({ path, retryStrategy: () => 20, ...options })
    client.on('error', () => {})
    clients.push(client)
    return client
  }
  async function revive(): Promise<void> {
    const args = ['--port', '0', '--unixsocket', path, '--save', '', '--appendonly', 'no']
    server = spawn('redis-server', args, { cwd: folder, stdio: 'ignore' })
    const client = connect()
    await client.ping()
    client.disconnect()
  }
  async function crash(): Promise<void> {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return
    const ended = new Promise((resolve) => server?.once('exit', resolve))
    server.kill('SIGKILL')
    await ended
  }

  await revive()
  return {
    connect,
    crash,
    revive,
    async stop() {
      for (const client of clients) client.disconnect()
      await crash()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
