import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** Who may be connected to. */
export interface AddressPolicy {
  /** True when the operator named this very host and port. `host` as in `URL.hostname`. */
  allowsHost(host: string, port: number): boolean
  /** True for a public address, and for one inside a network that the operator named. */
  allowsAddress(address: string): boolean
}

/** Azure's metadata and DNS host: a public address, but only the inside of a virtual machine reaches it. */
const PUBLIC_LOOKING_METADATA = '168.63.129.16'

/** All that is handed out to the public Internet in IPv6. What lies outside is special, whatever it is called. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3')

/**
 * Reads the operator's list of private places that may be fetched from.
 *
 * @param entries `host:port` (exact) or a network such as `192.168.1.0/24` or `fd00::/8`.
 * @throws {TypeError} naming the entry that is neither.
 */
export function createAddressPolicy(entries: readonly string[]): AddressPolicy {
  const hosts = new Set<string>()
  const networks: [Address, number][] = []
  for (const entry of entries) {
    if (ipaddr.isValidCIDR(entry)) networks.push(ipaddr.parseCIDR(entry))
    else hosts.add(readHostEntry(entry))
  }

  return {
    allowsHost: (host, port) => hosts.has(`${host}:${port}`),
    allowsAddress(text) {
      if (!ipaddr.isValid(text)) return false
      // `process` makes an IPv4-mapped address the IPv4 address that it reaches.
      const address = ipaddr.process(text)
      return isPublic(address) || networks.some((network) => isInside(address, network))
    },
  }
}

function readHostEntry(entry: string): string {
  const match = /^(.+):(\d{1,5})$/.exec(entry)
  const url = match === null ? null : toUrl(`http://${match[1]}`)
  if (match === null || url === null || url.port !== '' || url.pathname !== '/') {
    throw new TypeError(`allowPrivate: "${entry}" is neither host:port nor a network such as 192.168.1.0/24`)
  }
  return `${url.hostname}:${Number(match[2])}`
}

function toUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null
}

function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false
  if (address instanceof ipaddr.IPv4) return address.toString() !== PUBLIC_LOOKING_METADATA
  return address.match(GLOBAL_UNICAST)
}

function isInside(address: Address, [network, bits]: [Address, number]): boolean {
  return address.kind() === network.kind() && address.match(network, bits)
}

/** The address in a URL's host, if it is one; `URL` has already turned decimal, octal and hex forms into dotted ones. */
export function readLiteral(hostname: string): string | undefined {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  return ipaddr.isValid(bare) ? bare : undefined
}

const LOCAL_NAME = /^[^.]+\.?$|(^|\.)(localhost|local|internal|intranet|lan|home\.arpa)\.?$/

/** True for names that only mean something inside a network. */
export function isLocalName(hostname: string): boolean {
  return LOCAL_NAME.test(hostname)
}
