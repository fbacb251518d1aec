import type { buildConnector } from 'undici'
import { readSystemCode } from '../error.ts'

/** A connection that could not be made. Only codes are kept: the originals hold addresses and proxy passwords. */
export class ConnectFailure extends Error {
  /** Who could not be reached. */
  readonly party: 'server' | 'proxy'
  /** Read by undici: any code but its own two "try again" ones ends the requests that wait. */
  readonly code = 'CASTOR_CONNECT'
  readonly systemCode: string | undefined

  constructor(party: 'server' | 'proxy', detail: string, systemCode: string | undefined) {
    super(detail)
    this.party = party
    this.systemCode = systemCode
  }
}

const TLS_CODE = /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|EPROTO)/

/**
 * Wraps a connector so that its failures say whose they are.
 *
 * Behind a proxy every failure is the proxy's but those of the TLS handshake with the server. Without this
 * undici would connect again for ever when a proxy closes a tunnel while it is being made (`UND_ERR_SOCKET`).
 */
export function withConnectFailures(connect: buildConnector.connector, proxied: boolean): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...result) => {
      const [error, socket] = result
      if (error === null) return callback(null, socket)
      const systemCode = readSystemCode(error)
      const tls = TLS_CODE.test(systemCode ?? '')
      const party = proxied && !tls ? 'proxy' : 'server'
      callback(new ConnectFailure(party, describe(error, systemCode, tls), systemCode), null)
    })
}

/** Says what happened in words that hold neither addresses nor credentials. */
function describe(error: Error, systemCode: string | undefined, tls: boolean): string {
  const tunnel = /Proxy response \((\d{3})\)/.exec(error.message)
  if (tunnel !== null)
    return tunnel[1] === '407' ? 'it refused the user name or password (407)' : `it answered ${tunnel[1]}`
  if (error.name === 'SocksClientError' || /socks/i.test(error.message)) return describeSocks(error.message)
  if (systemCode === 'UND_ERR_CONNECT_TIMEOUT' || systemCode === 'UND_ERR_HEADERS_TIMEOUT') return 'no answer in time'
  if (tls) return `its certificate or TLS was refused (${systemCode})`
  return systemCode ?? 'the connection broke off'
}

function describeSocks(message: string): string {
  if (/authentication/i.test(message)) return 'it refused the user name or password'
  if (/timed out/i.test(message)) return 'no answer in time'
  const reply = /- (\w+)\)?$/.exec(message)
  return reply === null ? 'it broke off the SOCKS exchange' : `it answered ${reply[1]}`
}
