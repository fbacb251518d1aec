import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'

/** Why tests on a real Redis cannot run here; undefined when they can. */
export const redisMissing =
  spawnSync('redis-server', ['--version']).status === 0
    ? undefined
    : 'redis-server is not installed (apt-get install redis-server), so the Redis home is not tested here'

export interface RedisServer {
  connect(): Redis
  stop(): Promise<void>
}

/** A Redis of our own on a socket in a fresh folder, gone with `stop`. */
export async function startRedis(): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'castor-limits-redis-'))
  const path = join(folder, 'redis.sock')
  const server = spawn('redis-server', ['--port', '0', '--unixsocket', path, '--save', '', '--appendonly', 'no'], {
    cwd: folder,
    stdio: 'ignore',
  })
  const ended = new Promise((resolve) => server.once('exit', resolve))
  const clients: Redis[] = []
  function connect(): Redis {
    const client = new Redis({ path, retryStrategy: () => 20 })
    client.on('error', () => {})
    clients.push(client)
    return client
  }
  await connect().ping()
  return {
    connect,
    async stop() {
      for (const client of clients) client.disconnect()
      server.kill()
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}
