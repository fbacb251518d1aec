import { createHash } from 'node:crypto'

/**
 * Name of the address that traffic leaves by. Never a password. Proxies with the same host and another user are other
 * addresses: many providers choose the exit by the user's name, which is shown as a few letters of its hash.
 *
 * @param own What the machine's own address is called.
 */
export function egressOf(proxy: string | undefined, own: string): string {
  if (proxy === undefined) return own
  const { host, username } = new URL(proxy)
  if (username === '') return `proxy ${host}`
  return `proxy ${host} (user ${createHash('sha256').update(username).digest('hex').slice(0, 6)})`
}
