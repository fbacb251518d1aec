/** `<expiry in seconds, base 36>-<128 random bits>.<extension>`: nothing in it can lead out of a folder. */
const MEDIA_ID = /^([0-9a-z]{1,9})-[A-Za-z0-9_-]{22}(?:\.[a-z0-9]{1,8})?$/

/**
 * A name that cannot be guessed. The expiry stands in it so that a home can tell what is over from a list of names.
 *
 * @param expiresAt Milliseconds since 1970, rounded up to a second.
 */
export function createMediaId(expiresAt: number, extension: string | undefined): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const random = toBase64Url(bytes)
  const suffix = extension !== undefined && /^[a-z0-9]{1,8}$/.test(extension) ? `.${extension}` : ''
  return `${Math.ceil(expiresAt / 1000).toString(36)}-${random}${suffix}`
}

/** When an id runs out, in milliseconds since 1970; nothing when it is no id of ours. */
export function readExpiry(id: string): number | undefined {
  const seconds = MEDIA_ID.exec(id)?.[1]
  return seconds === undefined ? undefined : Number.parseInt(seconds, 36) * 1000
}

export function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
}
