const SHAPE = /^(https?|socks5h?):\/\/[^\s/?#]+\/?$/i

/**
 * Brings the address of a proxy into the one form that the rest works with: scheme in small letters, user and password
 * percent-encoded, a port that is one, nothing behind it. A `%` that begins no code stands for itself, as people write it.
 *
 * @returns Undefined when it is no address of a proxy. It holds a password, so nothing here quotes it.
 */
export function readProxyUrl(text: string): string | undefined {
  const encoded = text.replace(/%(?![0-9a-f]{2})/gi, '%25')
  if (!SHAPE.test(text) || !URL.canParse(encoded)) return undefined
  const { protocol, username, password, hostname, host } = new URL(encoded)
  if (hostname === '' || !isDecodable(username) || !isDecodable(password)) return undefined
  const user = username === '' && password === '' ? '' : `${username}:${password}@`
  return `${protocol}//${user}${host}`
}

/** Codes may be of another alphabet than UTF-8. */
function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
