// Three processes share 20 accounts on one Redis; every 3 s one of them is killed with -9 and replaced. Looks for
// accounts lent more often than they may be, and for leases that do not come back. Exits 1 if there is any.
//   node pool/replicas.mjs [seconds]        (needs built packages and redis-server)
import { fork, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createAccountPool } from '@castorjs/account-pool'
import { createRedisPoolState, createScriptRunner } from '@castorjs/account-pool/redis'
import { Redis } from 'ioredis'

const ACCOUNTS = 20
const MAX_CONCURRENT = 2
const LEASE_TTL_MS = 3_000
const accounts = Array.from({ length: ACCOUNTS }, (_, index) => ({ id: `account-${index}`, value: index }))
const policy = {
  egressPerMinute: false,
  perHour: false,
  perDay: false,
  maxConcurrent: MAX_CONCURRENT,
  leaseTtlMs: LEASE_TTL_MS,
  waitMs: 5_000,
}

function connect(path) {
  const client = new Redis({ path, retryStrategy: () => 50 })
  client.on('error', () => {})
  return client
}

/** One replica: 20 requests at a time, each holding an account for some milliseconds, now and then failing. */
async function work(path) {
  const client = connect(path)
  const state = createRedisPoolState({ runScript: createScriptRunner(client) })
  const pool = createAccountPool({ accounts, policy, state })
  const truth = connect(path)
  for (;;) {
    await Promise.all(Array.from({ length: 20 }, () => request(pool, truth).catch(() => {})))
  }
}

async function request(pool, truth) {
  const lease = await pool.lease({ model: 'm' })
  const key = `truth:${lease.account.id}`
  try {
    // What really runs, by process; the parent takes a killed one out.
    await truth.hincrby(key, String(process.pid), 1)
    const running = (await truth.hvals(key)).reduce((sum, count) => sum + Number(count), 0)
    if (running > MAX_CONCURRENT) await truth.incr('violations')
    await truth.incr('served')
    await sleep(5 + Math.random() * 45)
    if (Math.random() < 0.02) lease.fail({ code: 'rate_limited', retryAfterMs: 200 })
    else lease.succeed()
  } finally {
    await truth.hincrby(key, String(process.pid), -1)
    lease.release()
  }
}

async function lead(seconds) {
  const folder = await mkdtemp(join(tmpdir(), 'castor-bench-replicas-'))
  const path = join(folder, 'redis.sock')
  const server = spawn('redis-server', ['--port', '0', '--unixsocket', path, '--save', ''], {
    cwd: folder,
    stdio: 'ignore',
  })
  const client = connect(path)
  const replicas = new Set()
  const start = () => replicas.add(fork(import.meta.filename, ['replica', path]))
  async function kill(replica) {
    const ended = new Promise((resolve) => replica.once('exit', resolve))
    replica.kill('SIGKILL')
    await ended
    replicas.delete(replica)
    // Its requests no longer run, but its leases hold until they expire.
    for (const { id } of accounts) await client.hdel(`truth:${id}`, String(replica.pid))
  }
  try {
    await client.ping()
    for (let index = 0; index < 3; index++) start()
    let kills = 0
    for (const end = performance.now() + seconds * 1_000; performance.now() < end;) {
      await sleep(3_000)
      const [oldest] = replicas
      await kill(oldest)
      kills++
      start()
    }
    for (const replica of replicas) await kill(replica)
    const state = createRedisPoolState({ runScript: createScriptRunner(client) })
    const left = async () => (await state.read()).accounts.reduce((sum, { active }) => sum + active, 0)
    const atOnce = await left()
    const since = performance.now()
    while ((await left()) > 0 && performance.now() - since < 10_000) await sleep(50)
    const back = performance.now() - since
    const lost = await left()
    const violations = Number((await client.get('violations')) ?? 0)
    console.log(`${await client.get('served')} leases by 3 processes in ${seconds} s, ${kills + 3} kills`)
    console.log(`accounts lent more often than they may be: ${violations}`)
    console.log(`leases of dead processes: ${atOnce}, all back after ${(back / 1_000).toFixed(1)} s; lost: ${lost}`)
    if (violations > 0 || lost > 0) process.exitCode = 1
  } finally {
    for (const replica of replicas) replica.kill('SIGKILL')
    client.disconnect()
    server.kill()
    await rm(folder, { recursive: true, force: true })
  }
}

const [role, path] = process.argv.slice(2)
if (role === 'replica') await work(path)
else await lead(Number(role ?? 20))
