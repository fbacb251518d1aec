import { HOSTS } from '@castorjs/gemini-web-protocol'

/** Hosts that the emulator stands in for. */
export const SERVED_HOSTS: readonly string[] = Object.values(HOSTS).map((base) => new URL(base).host)

const SERVED = new Set(SERVED_HOSTS)

export interface Place {
  /** A served host, or '' for the emulator's own paths. */
  host: string
  /** Path on that host, with the leading slash. */
  path: string
}

/**
 * Which host a request means: by its own host when that is one of Google's, else by the first
 * segment of the path (`http://127.0.0.1:8765/gemini.google.com/app`).
 */
export function locate(url: { hostname: string; pathname: string }): Place {
  if (SERVED.has(url.hostname)) return { host: url.hostname, path: url.pathname }
  const slash = url.pathname.indexOf('/', 1)
  const first = slash < 0 ? url.pathname.slice(1) : url.pathname.slice(1, slash)
  return SERVED.has(first)
    ? { host: first, path: slash < 0 ? '/' : url.pathname.slice(slash) }
    : { host: '', path: url.pathname }
}

/** Base URL per host for a client that shall talk to an emulator at `url`: `{ app: 'http://127.0.0.1:8765/gemini.google.com', … }`. */
export function emulatorBaseUrls(url: string): Record<keyof typeof HOSTS, string> {
  const base = url.replace(/\/+$/, '')
  const entries = Object.entries(HOSTS).map(([name, host]) => [name, `${base}/${new URL(host).host}`])
  return Object.fromEntries(entries) as Record<keyof typeof HOSTS, string>
}

/** Rewrites a URL of a served host into the emulator's own address; others stay as they are. */
export function throughEmulator(url: string, origin: string): string {
  const parsed = new URL(url)
  return SERVED.has(parsed.host) ? `${origin}/${parsed.host}${parsed.pathname}${parsed.search}` : url
}
