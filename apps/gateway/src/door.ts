import { createKeyCheck, GenerationError, type Authorize, type Caller } from '@castorjs/content-generator'
import type { Config } from './config-schema.ts'

const LOCAL: Caller = { id: 'local' }

/** Facts about a connection that a `Request` does not carry. */
export interface Connection {
  /** IP address of the other end; undefined once the socket is gone. */
  remoteAddress: string | undefined
}

/** Remembers which connection a request came over. */
export type ConnectionOf = (request: Request) => Connection | undefined

/**
 * Who may come in. With keys: whoever has one. Without: only this machine, and only under one of its own
 * names, so that a web page in a browser cannot reach it by rebinding a name. `allowAnyone` opens it.
 */
export function createDoor(
  { apiKeys, allowAnyone }: Pick<Config, 'apiKeys' | 'allowAnyone'>,
  connectionOf: ConnectionOf,
): Authorize {
  if (apiKeys.length > 0) return createKeyCheck(apiKeys)
  if (allowAnyone) return 'anyone'
  return (request) => {
    const remoteAddress = connectionOf(request)?.remoteAddress
    const fromHere = remoteAddress !== undefined && isLoopback(remoteAddress)
    if (!fromHere || !isOwnName(new URL(request.url).hostname)) {
      throw new GenerationError(
        'forbidden',
        'This server has no API key and therefore serves only its own machine. Set API_KEY, or ALLOW_ANYONE=true if everyone on the network may use your account.',
      )
    }
    return LOCAL
  }
}

/** True for 127.0.0.0/8, ::1 and their mapped forms. */
export function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(address) || address === '::1'
}

function isOwnName(hostname: string): boolean {
  const name = hostname.replace(/^\[|\]$/g, '')
  return name === 'localhost' || name.endsWith('.localhost') || isLoopback(name)
}
