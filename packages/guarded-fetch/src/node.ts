import { lookup } from 'node:dns/promises'
import { isIPv6 } from 'node:net'
import { createNodeTransport } from '@castorjs/http-transport/node'
import { createGuardedFetch } from './guarded-fetch.ts'
import type { GuardedFetch, GuardedFetchOptions, PinnedTransport } from './guarded-fetch.ts'

export interface NodeGuardedFetchOptions extends Omit<GuardedFetchOptions, 'transport'> {
  /** PEM certificates to trust in place of the built-in ones. */
  ca?: string
}

/**
 * A guarded fetch whose DNS is pinned: a host name is resolved once for each hop, every address is checked, and the
 * connection goes to one of those very addresses. TLS still checks the name.
 *
 * @throws {TypeError} when an entry of `allowPrivate` cannot be read.
 */
export function createNodeGuardedFetch({ ca, ...options }: NodeGuardedFetchOptions = {}): GuardedFetch {
  return createGuardedFetch({ resolve: resolveByDns, ...options, transport: createPinnedTransport(ca) })
}

async function resolveByDns(hostname: string): Promise<string[]> {
  return (await lookup(hostname, { all: true, verbatim: true })).map(({ address }) => address)
}

/**
 * A fresh transport for each exchange, so that no connection made under one check serves another. Its one
 * connection closes with the exchange.
 */
function createPinnedTransport(ca: string | undefined): PinnedTransport {
  return (url, { addresses, ...request }) => {
    const pinned = addresses?.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 })) ?? []
    const transport = createNodeTransport({
      maxHeaderBytes: 65_536,
      ...(ca === undefined ? {} : { ca }),
      lookup(_, { all }, callback) {
        const [first] = pinned
        if (first === undefined) callback(new Error('The host was not resolved'), '')
        else if (all === true) callback(null, pinned)
        else callback(null, first.address, first.family)
      },
    })
    return transport(url, { ...request, headers: { ...request.headers, connection: 'close' } })
  }
}
