import { ReplyError } from 'ioredis'
import { StateError, isStateError } from '../error.ts'
import type { StateStatus } from '../state-store.ts'
import { COMMAND_TIMEOUT_MS, createRedisClient, isRefusedDatabase } from './client.ts'
import type { RedisClientOptions } from './client.ts'
import { readRedisUrl } from './redis-url.ts'
import { NO_WRITES, readReplyCode } from './reply-code.ts'
import { SCRIPTS } from './scripts.ts'
import type { ScriptName } from './scripts.ts'

export interface RedisConnection {
  /** One round trip, to a script that Redis keeps. */
  run(script: ScriptName, keys: readonly string[], args: readonly string[]): Promise<unknown>
  get(key: string): Promise<string | null>
  del(key: string): Promise<void>
  /** @throws {StateError} when Redis cannot be used: address, password, permission, version. */
  check(): Promise<void>
  status(): StateStatus
  close(): Promise<void>
}

type Scripted = Record<ScriptName, (...args: string[]) => Promise<unknown>>

/** What the oldest Redis that is supported brought: 6.2. */
const OLDEST = [6, 2] as const

/** Steps that a Redis may take while it takes no writes. */
const READS: ReadonlySet<ScriptName> = new Set(['castorList'])
/** While Redis takes no writes it is asked so often whether it does again. */
const PROBE_MS = 2000
/** While steps wait for the connection it is looked so often whether Redis is loading. */
const SEE_MS = 250

/**
 * A connection that comes back by itself. While it is away every step fails within its time, and none is sent twice.
 *
 * @param probe Name of a counter to see with whether writes are taken again.
 */
export function connectRedis(options: RedisClientOptions, probe: string): RedisConnection {
  const { address, database } = readRedisUrl(options.url)
  const client = createRedisClient(options)
  for (const [name, script] of Object.entries(SCRIPTS)) client.defineCommand(name, script)
  const scripted = client as unknown as Scripted
  let closed = false
  let status: StateStatus = {
    home: 'redis',
    ok: false,
    since: Date.now(),
    reason: `Connecting to Redis at ${address}`,
    warnings: [],
  }
  let lastError: StateError | undefined
  let warnings: readonly string[] = []
  /** It is there and answers, but the last write was refused. */
  let refusing: { reason: string; since: number } | undefined
  let probing: NodeJS.Timeout | undefined
  /** Steps that wait for the connection. */
  const waiting = new Set<(error: StateError | undefined) => void>()
  let seeing = false

  client.on('error', (error: unknown) => {
    // What follows when the line was hung up on purpose tells nothing.
    if (error instanceof Error && error.message.startsWith("Stream isn't writeable")) return
    lastError = isRefusedDatabase(error) ? refusedDatabase(error, address, database) : toStateError(error, address)
    if (isFinal(lastError)) settleWaiting(lastError)
  })
  client.on('ready', () => {
    lastError = undefined
    well()
    settleWaiting(undefined)
  })
  client.on('close', () => lost())

  function well(): void {
    status = { home: 'redis', ok: true, since: Date.now(), warnings }
  }

  function lost(error?: StateError): void {
    const reason = (lastError ?? error)?.message ?? `The connection to Redis at ${address} is lost`
    status = { home: 'redis', ok: false, since: status.ok ? Date.now() : status.since, reason, warnings }
  }

  async function write<T>(send: () => Promise<T>): Promise<T> {
    try {
      const answer = await step(send)
      refusing = undefined
      return answer
    } catch (error) {
      if (isStateError(error) && status.ok && !closed && error.code !== 'closed') {
        refusing = { reason: error.message, since: refusing?.since ?? Date.now() }
        probing ??= setInterval(() => void probeWrites(), PROBE_MS)
        probing.unref()
      }
      throw error
    }
  }

  /** Nobody may write for a long while; that things are well again must show all the same. */
  async function probeWrites(): Promise<void> {
    if (refusing !== undefined) await write(() => scripted.castorCount(probe, '1', '60000', '')).catch(() => undefined)
    if (refusing !== undefined) return
    clearInterval(probing)
    probing = undefined
  }

  /** Waits for the connection, but not for long, and not at all where waiting does not help. */
  function waitUntilReady(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (isFinal(lastError)) return reject(lastError)
      const settle = (error: StateError | undefined): void => {
        clearTimeout(timer)
        waiting.delete(settle)
        if (error === undefined) resolve()
        else reject(error)
      }
      const timer = setTimeout(() => settle(lastError ?? away(address)), options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS)
      waiting.add(settle)
      void seeWhetherLoading()
    })
  }

  /** The driver waits for a Redis that loads its data without a word. Before both have greeted nothing else is sent. */
  async function seeWhetherLoading(): Promise<void> {
    if (seeing) return
    seeing = true
    while (waiting.size > 0) {
      const info = client.status === 'connect' ? await client.info('persistence').catch(() => '') : ''
      if (client.status === 'connect' && /^loading:1/m.test(info)) lastError = loading(address)
      await new Promise((resolve) => setTimeout(resolve, SEE_MS))
    }
    seeing = false
  }

  function settleWaiting(error: StateError | undefined): void {
    for (const settle of waiting) settle(error)
  }

  async function step<T>(send: () => Promise<T>): Promise<T> {
    if (closed) throw new StateError('closed', 'The state store is closed')
    try {
      if (client.status !== 'ready') await waitUntilReady()
      const answer = await send()
      if (!status.ok) well()
      return answer
    } catch (error) {
      const known = isStateError(error) ? error : toStateError(error, address)
      // A dead line, or a Redis that hangs, shows here before the driver says so.
      if (known.code === 'unavailable' && !(error instanceof ReplyError)) lost(known)
      throw known
    }
  }

  return {
    run: (script, keys, args) => (READS.has(script) ? step : write)(() => scripted[script](...keys, ...args)),
    get: (key) => step(() => client.get(key)),
    del: (key) =>
      write(async () => {
        await client.del(key)
      }),
    async check() {
      const info = await step(() => client.info()).catch((error: unknown) => {
        // A user that may not ask for the version may still use the store.
        if (isStateError(error) && error.code === 'denied' && error.message.includes("'info'")) return ''
        throw error
      })
      warnings = readDangers(info, address)
      status = { ...status, warnings }
      const version = /^redis_version:(\d+)\.(\d+)\.?(\S*)/m.exec(info)
      if (version === null) return
      const [, major = '', minor = '', patch = ''] = version
      if (Number(major) > OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) >= OLDEST[1])) return
      throw new StateError(
        'unsupported',
        `Redis at ${address} is version ${major}.${minor}.${patch}; ${OLDEST.join('.')} or newer is needed`,
      )
    },
    status: () => (status.ok && refusing !== undefined ? { ...status, ok: false, ...refusing } : status),
    async close() {
      if (closed) return
      closed = true
      clearInterval(probing)
      // Between two tries there is no socket, and no event either.
      const open = client.status !== 'end' && client.status !== 'reconnecting'
      const ended = open ? new Promise((resolve) => client.once('end', resolve)) : undefined
      client.disconnect()
      await ended
    },
  }
}

/** True where waiting does not help. */
function isFinal(error: StateError | undefined): boolean {
  return error?.code === 'denied' || error?.code === 'invalid'
}

function refusedDatabase(error: unknown, address: string, database: number): StateError {
  const where = `database ${database} of Redis at ${address} (the URL names it after host and port)`
  return readReplyCode(error) === 'NOPERM'
    ? new StateError('denied', `This user may not choose ${where}; it needs +select`)
    : new StateError('invalid', `There is no ${where}; take one that exists, 0 is there always`)
}

function loading(address: string): StateError {
  return new StateError('unavailable', `Redis at ${address} is still loading its data`)
}

function away(address: string): StateError {
  return new StateError('unavailable', `Redis at ${address} does not answer`)
}

/** Settings with which Redis may lose what it was given. */
function readDangers(info: string, address: string): string[] {
  const dangers: string[] = []
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction'
  if (policy !== 'noeviction' && !/^maxmemory:0\s*$/m.test(info)) {
    dangers.push(
      `Redis at ${address} throws records away when its memory is full (maxmemory-policy ${policy}): sessions and keys could be lost. Set maxmemory-policy noeviction`,
    )
  }
  if (/^aof_enabled:0\s*$/m.test(info)) {
    dangers.push(
      `Redis at ${address} keeps no append-only file, so when it ends the newest cookies may be lost. Set appendonly yes`,
    )
  }
  return dangers
}

/** What Redis or the driver said, in our words: theirs may quote a command with its values. */
function toStateError(error: unknown, address: string): StateError {
  const text = error instanceof Error ? error.message : ''
  const system = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
  const code = readReplyCode(error)
  if (/^(NOAUTH|WRONGPASS|ERR invalid password|ERR AUTH|ERR Client sent AUTH)/.test(text)) {
    return new StateError('denied', `Redis at ${address} refuses the user name or password`)
  }
  // What a script may not do, Redis says in other words.
  if (/user executing the script|ACL failure in script/i.test(text)) {
    return new StateError(
      'denied',
      `Redis at ${address} does not let this user run what the scripts of this store run; it needs +@read +@write +@scripting +time +info`,
    )
  }
  if (code === 'NOPERM')
    return new StateError('denied', `Redis at ${address} does not let this user ${readRefusal(text)}`)
  if (code === 'OOM') return new StateError('unavailable', `Redis at ${address} is out of memory`)
  if (code === 'LOADING') return loading(address)
  if (NO_WRITES.has(code)) return new StateError('unavailable', `Redis at ${address} does not take writes (${code})`)
  if (code === 'WRONGTYPE') {
    return new StateError(
      'invalid',
      `Redis at ${address} keeps something else under names of this store; give the store a prefix or a database of its own`,
    )
  }
  if (/^ERR unknown command/i.test(text))
    return new StateError('unsupported', `Redis at ${address} lacks a command that is needed; 6.2 or newer is`)
  if (system !== undefined) return new StateError('unavailable', `Redis at ${address} cannot be reached (${system})`)
  if (error instanceof ReplyError) return new StateError('unavailable', `Redis at ${address} refused a step (${code})`)
  return away(address)
}

function readRefusal(text: string): string {
  const command = /the '([\w|]+)' command/.exec(text)?.[1]
  if (command !== undefined)
    return `run '${command}'; it needs get, del, evalsha, eval, info and the commands of the scripts (+@read +@write +@scripting +time +info)`
  return /key/.test(text) ? 'use the keys of this store; allow its prefix' : 'do this'
}
