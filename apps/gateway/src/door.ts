import type { CallerKeys } from '@castorjs/caller-keys'
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
  config: Pick<Config, 'apiKeys' | 'allowAnyone' | 'adminKey'>
  connectionOf: ConnectionOf
  /** Keys made at run time. */
  callerKeys: Pick<CallerKeys, 'check'>
}

/**
 * Who may come in. With configured keys: whoever has one of them or of those made at run time. Without: those with a
 * key made at run time, and this machine, but only under one of its own names, so that a web page in a browser cannot
 * reach it by rebinding a name. `allowAnyone` opens it.
 */
export function createDoor({ config, connectionOf, callerKeys }: DoorOptions): Authorize {
  const configured = config.apiKeys.length > 0 ? createKeyCheck(config.apiKeys) : undefined
  return async (request) => {
    const key = readApiKey(request)
    if (key?.startsWith(STORED_KEY) === true) return { id: (await callerKeys.check(key)).id }
    if (configured !== undefined) return configured(request)
    if (config.allowAnyone || isFromHere(request, connectionOf)) return LOCAL
    throw new GenerationError(
      'forbidden',
      'This server has no API key and therefore serves only its own machine. Set API_KEY, or ALLOW_ANYONE=true if everyone on the network may use your account.',
    )
  }
}

/** Who may look after the server: the holder of `adminKey`, else of a configured key, else this machine. */
export function createAdminDoor({
  config,
  connectionOf,
}: Omit<DoorOptions, 'callerKeys'>): (request: Request) => Promise<Caller> {
  const { adminKey, apiKeys } = config
  const keys = adminKey === undefined ? apiKeys : [{ id: 'admin', key: adminKey }]
  const check = keys.length > 0 ? createKeyCheck(keys) : undefined
  return async (request) => {
    if (check !== undefined) return check(request)
    if (isFromHere(request, connectionOf)) return LOCAL
    throw new GenerationError(
      'forbidden',
      'This server can only be looked after from its own machine. Set ADMIN_KEY to do it from elsewhere.',
    )
  }
}

/** Begins every key made at run time. */
const STORED_KEY = 'sk-castor-'

function isFromHere(request: Request, connectionOf: ConnectionOf): boolean {
  const remoteAddress = connectionOf(request)?.remoteAddress
  return remoteAddress !== undefined && isLoopback(remoteAddress) && isOwnName(new URL(request.url).hostname)
}

/** True for 127.0.0.0/8, ::1 and their mapped forms. */
function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(address) || address === '::1'
}

function isOwnName(hostname: string): boolean {
  const name = hostname.replace(/^\[|\]$/g, '')
  return name === 'localhost' || name.endsWith('.localhost') || isLoopback(name)
}
