/** Rules for fetching pictures, video and music: who gets cookies, which URLs, what a body means. Source: fact sheet §8.2, §8.4, §9.5. */

/**
 * The only cookies to send to download hosts; host-only ones lead to 403.
 * Source: fact sheet §8.4 [M 2026-09].
 */
export const DOWNLOAD_COOKIES: ReadonlySet<string> = new Set([
  'SID',
  'HSID',
  'SSID',
  'APISID',
  'SAPISID',
  '__Secure-1PSID',
  '__Secure-3PSID',
  '__Secure-1PAPISID',
  '__Secure-3PAPISID',
  '__Secure-1PSIDTS',
  '__Secure-3PSIDTS',
  '__Secure-1PSIDRTS',
  '__Secure-3PSIDRTS',
  'SIDCC',
  '__Secure-1PSIDCC',
  '__Secure-3PSIDCC',
  'NID',
  'GOOGLE_ABUSE_EXEMPTION',
])

/** Redirects to follow by hand at most. Source: fact sheet §8.4. */
export const MAX_DOWNLOAD_HOPS = 6

/** Hosts that may see cookies: `*.google.com` and `*.googleusercontent.com`. Source: fact sheet §8.4. */
export function isDownloadHost(host: string): boolean {
  const name = host.toLowerCase().replace(/:\d+$/, '')
  return /(^|\.)google\.com$/.test(name) || name.endsWith('.googleusercontent.com')
}

/** Headers beside the cookies. */
export function downloadHeaders(origin = 'https://gemini.google.com'): Record<string, string> {
  return { referer: `${origin}/`, origin }
}

/**
 * The same picture at another size: replaces the option behind `=` in the last path segment.
 * None about 512 px, `s512`, `s1024-rj` preview JPEG, `s2048-rj` larger JPEG, `s2048`, `s0` as stored.
 * Source: fact sheet §8.2 [S].
 */
export function imageSizeUrl(url: string, option: string): string {
  const parsed = new URL(url)
  parsed.pathname = parsed.pathname.replace(/=[^/=]*$/, '')
  parsed.pathname += `=${option}`
  return parsed.href
}

/** The size option of a picture URL, for the emulator. */
export function readImageSize(url: string): string | undefined {
  return /=([^/=]*)$/.exec(new URL(url).pathname)?.[1]
}

/** First URL of the way to an original picture. Source: fact sheet §8.3 [M]. */
export function originalImageStartUrl(base: string): string {
  const url = new URL(imageSizeUrl(base, 'd-I'))
  url.searchParams.set('alr', 'yes')
  return url.href
}

/** The next URL when a download answers with text instead of a file; undefined when the body is none. Source: fact sheet §8.3. */
export function readHopUrl(contentType: string | undefined, body: string): string | undefined {
  if (contentType?.startsWith('text/plain') !== true) return undefined
  const url = body.trim()
  return /^https?:\/\/\S+$/.test(url) ? url : undefined
}

/** Fixed query value of media downloads. Source: fact sheet §9.5 [S]. */
const MEDIA_OPI = '103135050'

/** Completes a media URL: adds `filename` and `opi` when they are missing. */
export function mediaDownloadUrl(
  url: string,
  { fileName = 'video.mp4', accountIndex }: { fileName?: string; accountIndex?: number } = {},
): string {
  const parsed = new URL(url)
  if (!parsed.searchParams.has('filename')) parsed.searchParams.set('filename', fileName)
  if (!parsed.searchParams.has('opi')) parsed.searchParams.set('opi', MEDIA_OPI)
  if (accountIndex !== undefined && accountIndex !== 0) parsed.searchParams.set('authuser', String(accountIndex))
  return parsed.href
}

/** What an answer of a media host means. `wait`: ask again in ten seconds. Source: fact sheet §9.5. */
export type MediaReply = 'file' | 'envelope' | 'wait' | 'hop' | 'refused' | 'sign-in' | 'error'

export function readMediaReply({ status, contentType = '' }: { status: number; contentType?: string }): MediaReply {
  if (status === 206) return 'wait'
  if (status >= 300 && status < 400) return 'hop'
  if (status === 401 || status === 403) return 'refused'
  if (status !== 200) return 'error'
  if (contentType.startsWith('text/html')) return 'sign-in'
  if (contentType.startsWith('text/plain')) return 'hop'
  return contentType.startsWith('application/protobuf') || contentType.startsWith('application/x-protobuf')
    ? 'envelope'
    : 'file'
}

/** Whether bytes are an MP4: `ftyp` at offset 4. Source: fact sheet §9.5. */
export function isMp4(bytes: Uint8Array): boolean {
  return bytes.length >= 12 && bytes[4] === 0x66 && bytes[5] === 0x74 && bytes[6] === 0x79 && bytes[7] === 0x70
}
