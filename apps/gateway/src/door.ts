import { KEY_PREFIX, type CallerKeys } from '@castorjs/caller-keys'
import { createKeyCheck, GenerationError, readApiKey, type Authorize, type Caller } from '@castorjs/content-generator'
import type { Config } from './config-schema.ts'

const LOCAL: Caller = { id: 'local' }

/** Facts about a connection that a `Request` does not carry. */
export interface Connection {
  /** IP address of the other end; undefined once the socket is gone. */
  remoteAddress: string | undefined
}

/** Remembers which connection a request came over. */
export type ConnectionOf = (request: Request) => Connection | undefined

export interface DoorOptions {
  config: Pick<Config, 'apiKeys' | 'allowAnyone' | 'adminKey' | 'corsOrigins'>
  connectionOf: ConnectionOf
  /** Keys made at run time. */
  callerKeys: Pick<CallerKeys, 'check'>
}

/**
 * Who may come in. With configured keys: whoever has one of them or of those made at run time. Without: those with a
 * key made at run time, and this machine, but no web page that a browser on it shows, and nobody whom a proxy on it brings.
 * `allowAnyone` opens it.
 */
export function createDoor({ config, connectionOf, callerKeys }: DoorOptions): Authorize {
  const configured = config.apiKeys.length > 0 ? createKeyCheck(config.apiKeys) : undefined
  return async (request) => {
    const key = readApiKey(request)
    if (key?.startsWith(KEY_PREFIX) === true) return { id: (await callerKeys.check(key)).id }
    if (configured !== undefined) return configured(request)
    if (config.allowAnyone || isFromHere(request, connectionOf, config.corsOrigins)) return LOCAL
    throw new GenerationError(
      'forbidden',
      'This server has no API key and therefore serves only programs of its own machine, no web page and no proxy. Set API_KEY, or ALLOW_ANYONE=true if everyone on the network may use your account.',
    )
  }
}

/** Who may look after the server: the holder of `adminKey`, else of a configured key, else this machine. */
export function createAdminDoor({
  config,
  connectionOf,
}: Omit<DoorOptions, 'callerKeys'>): (request: Request) => Promise<Caller> {
  const { adminKey, apiKeys, corsOrigins } = config
  const keys = adminKey === undefined ? apiKeys : [{ id: 'admin', key: adminKey }]
  const check = keys.length > 0 ? createKeyCheck(keys) : undefined
  return async (request) => {
    if (check !== undefined) return check(request).catch(toOperatorsError(request, adminKey))
    if (isFromHere(request, connectionOf, corsOrigins)) return LOCAL
    throw new GenerationError(
      'forbidden',
      'This server can only be looked after by programs of its own machine, no web page and no proxy. Set ADMIN_KEY to do it from elsewhere.',
    )
  }
}

/** A caller's key is one of this server, and opens nothing here all the same. */
function toOperatorsError(request: Request, adminKey: string | undefined): (error: unknown) => never {
  return (error) => {
    if (readApiKey(request) === undefined) throw error
    const wanted = adminKey === undefined ? 'a key of API_KEY' : 'ADMIN_KEY'
    throw new GenerationError('unauthenticated', `This is the operator's, and the API key sent is not ${wanted}.`)
  }
}

/** What a proxy says of whom it brings. Programs of this machine that are none have no reason to send it. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip'] as const

/**
 * A program of this machine. A browser on it shows pages of strangers, which may send requests here without being allowed to
 * read the answers: it tells whose page it was. Its pages could also rebind a name, so that only our own names count.
 */
function isFromHere(request: Request, connectionOf: ConnectionOf, corsOrigins: readonly string[]): boolean {
  const remoteAddress = connectionOf(request)?.remoteAddress
  if (remoteAddress === undefined || !isLoopback(remoteAddress) || !isOwnName(new URL(request.url).hostname))
    return false
  const { headers } = request
  if (FORWARDED.some((name) => headers.has(name))) return false
  const origin = headers.get('origin')
  if (origin !== null) return corsOrigins.includes(origin) || isOwnPage(origin)
  return headers.get('sec-fetch-site') !== 'cross-site'
}

/** A page of this machine, or a desktop program that is made of pages: those have schemes of their own. */
function isOwnPage(origin: string): boolean {
  if (!URL.canParse(origin)) return false
  const { protocol, hostname } = new URL(origin)
  return (protocol !== 'http:' && protocol !== 'https:') || isOwnName(hostname)
}

/** True for 127.0.0.0/8, ::1 and their mapped forms. */
function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(address) || address === '::1'
}

function isOwnName(hostname: string): boolean {
  const name = hostname.replace(/^\[|\]$/g, '')
  return name === 'localhost' || name.endsWith('.localhost') || isLoopback(name)
}
