import { toBase64Url } from './media-id.ts'

export interface UrlSignerOptions {
  /** Where `createMediaHandler` answers, as the outside sees it, such as `https://gateway.example/media`. */
  publicBaseUrl?: string
  /** Secret of at least 32 bytes. Replicas share it, and it must outlive restarts for URLs to. */
  key: Uint8Array | string
  /** Clock, for tests. */
  now?: () => number
}

/** Makes and checks URLs that nobody else can make. */
export interface UrlSigner {
  /**
   * @param expiresAt Milliseconds since 1970, rounded down to a second.
   * @param baseUrl In place of `publicBaseUrl`.
   */
  sign(id: string, expiresAt: number, baseUrl?: string): Promise<string>
  verify(url: URL): Promise<{ id: string } | 'forged' | 'expired'>
}

/**
 * Signs with HMAC-SHA-256 over the id and the expiry.
 *
 * @throws {TypeError} when the key is shorter than 32 bytes or the base is not an http(s) URL.
 */
export function createUrlSigner({ publicBaseUrl, key, now = Date.now }: UrlSignerOptions): UrlSigner {
  const secret = typeof key === 'string' ? new TextEncoder().encode(key) : key
  if (secret.byteLength < 32) throw new TypeError('The signing key is shorter than 32 bytes')
  if (publicBaseUrl !== undefined) readBase(publicBaseUrl)
  let imported: Promise<CryptoKey> | undefined

  async function mac(id: string, expires: string): Promise<string> {
    imported ??= crypto.subtle.importKey('raw', new Uint8Array(secret), { name: 'HMAC', hash: 'SHA-256' }, false, [
      'sign',
    ])
    const text = new TextEncoder().encode(`castor-media\n${id}\n${expires}`)
    return toBase64Url(new Uint8Array(await crypto.subtle.sign('HMAC', await imported, text)))
  }

  return {
    async sign(id, expiresAt, baseUrl = publicBaseUrl) {
      if (baseUrl === undefined) throw new TypeError('No public base URL is set (PUBLIC_BASE_URL)')
      const expires = String(Math.floor(expiresAt / 1000))
      return `${readBase(baseUrl)}/${id}?expires=${expires}&signature=${await mac(id, expires)}`
    },
    async verify(url) {
      const id = url.pathname.slice(url.pathname.lastIndexOf('/') + 1)
      const expires = url.searchParams.get('expires') ?? ''
      const signature = url.searchParams.get('signature') ?? ''
      if (!/^\d{1,12}$/.test(expires) || !isEqual(signature, await mac(id, expires))) return 'forged'
      return Number(expires) * 1000 <= now() ? 'expired' : { id }
    },
  }
}

function readBase(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new TypeError(
      'The public base URL must be an http or https URL without query, such as https://gateway.example/media',
    )
  }
  return url.href.replace(/\/+$/, '')
}

/** Compares in a time that does not depend on where the first difference is. */
function isEqual(given: string, right: string): boolean {
  if (given.length !== right.length) return false
  let difference = 0
  for (let index = 0; index < right.length; index++) difference |= given.charCodeAt(index) ^ right.charCodeAt(index)
  return difference === 0
}
