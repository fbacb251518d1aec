/**
 * The app page: the keys of `window.WIZ_global_data`, what kind of page it is, and one for the emulator.
 * Source: fact sheet §1.2.
 */

export interface PageTokens {
  /** `SNlM0e`: request token, form field `at`; text, colon, issue time in ms. [S] */
  token?: string
  /** `cfb2h`: build label, query `bl`. [S] */
  buildLabel?: string
  /** `FdrFJe`: page session id, query `f.sid`; a signed 64-bit number that must stay text. [S] */
  sessionId?: string
  /** `TuX5cc`: interface language, reduced to its first part. [M] */
  language?: string
  /** `qKIAYe`: header `Push-ID` of uploads. [S] */
  pushId?: string
  /** `Ylro7b`: header `X-Client-Pctx` of uploads. [M] */
  pctx?: string
  /** `thykhd`: one client's upload code treats it like the request token. [W] */
  secondToken?: string
  /** `S06Grb` [W] */
  accountNumber?: string
  /** `oPEP7c` [W] */
  email?: string
}

/** Keys on the page. Source: fact sheet §1.2. */
export const PAGE_KEYS: Readonly<Record<keyof PageTokens, string>> = {
  token: 'SNlM0e',
  buildLabel: 'cfb2h',
  sessionId: 'FdrFJe',
  language: 'TuX5cc',
  pushId: 'qKIAYe',
  pctx: 'Ylro7b',
  secondToken: 'thykhd',
  accountNumber: 'S06Grb',
  email: 'oPEP7c',
}

/** Fallback when the page names none. Source: fact sheet §1.2 [S]. */
export const DEFAULT_PUSH_ID = 'feeds/mcudyrk2a4khkz'
/** Fallback when the page names none. Source: fact sheet §1.2 [M]. */
export const DEFAULT_PCTX = 'CgcSBWjK7pYx'

/** Build label anywhere on the page, for pages without `cfb2h`. Source: fact sheet §1.2 [M]. */
const BUILD_LABEL = /boq_assistant-bard-web-server_\d{8}\.\d+_p\d+/

/**
 * Reads the keys of a page. Accepts `"KEY":"value"` with spaces, `["KEY","value"]` and the
 * `\x22`-escaped form. Only the first few hundred kilobytes need to be given.
 *
 * @param keys Names on the page, for overrides from a configuration.
 */
export function readPageTokens(html: string, keys: Readonly<Record<keyof PageTokens, string>> = PAGE_KEYS): PageTokens {
  const tokens: PageTokens = {}
  for (const name of Object.keys(keys) as Array<keyof PageTokens>) {
    const value = readPageKey(html, keys[name])
    if (value !== undefined) tokens[name] = value
  }
  tokens.buildLabel ??= BUILD_LABEL.exec(html)?.[0]
  if (tokens.buildLabel === undefined) delete tokens.buildLabel
  if (tokens.language !== undefined) tokens.language = tokens.language.split(/[-_]/)[0] as string
  return tokens
}

function readPageKey(html: string, key: string): string | undefined {
  const name = key.replace(/[^\w]/g, '\\$&')
  const plain = new RegExp(`"${name}"\\s*[:,]\\s*"((?:[^"\\\\]|\\\\.)*)"`).exec(html)?.[1]
  const value = plain ?? new RegExp(`\\\\x22${name}\\\\x22\\s*[:,]\\s*\\\\x22(.*?)\\\\x22`).exec(html)?.[1]
  return value === undefined || value === '' ? undefined : unescapeScript(value)
}

function unescapeScript(text: string): string {
  return text.replace(
    /\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))/g,
    (_, unicode?: string, byte?: string, other?: string) => {
      const hex = unicode ?? byte
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
      return { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' }[other as string] ?? (other as string)
    },
  )
}

/**
 * What a reply to the page load (or to any other call) means. `guest`: no token although the page
 * is there; the cookies are dead, or only the ticket is old, or the page left it out.
 */
export type PageState = 'signed-in' | 'guest' | 'sign-in' | 'consent' | 'sorry' | 'small-body' | 'error'

/** Bodies under this many characters are a rejection, not a page. Source: fact sheet §1.2 [S]. */
const SMALL_BODY = 1_000

/** Decides by the table of fact sheet §1.2. `location` is the header of a redirect, or the final URL after following some. */
export function readPageState({
  status,
  location,
  body = '',
}: {
  status: number
  location?: string
  body?: string
}): PageState {
  const redirect = location === undefined ? undefined : readRedirect(location)
  if (redirect !== undefined) return redirect
  if (status >= 300 && status < 400) return 'error'
  if ((status === 429 || status === 503) && /sorry/i.test(body)) return 'sorry'
  if (status !== 200) return 'error'
  const tokens = readPageTokens(body)
  if (tokens.token !== undefined) return 'signed-in'
  if (Object.keys(tokens).length > 0) return 'guest'
  if (/unusual traffic|<title>Sorry/i.test(body)) return 'sorry'
  return body.length < SMALL_BODY ? 'small-body' : 'error'
}

/** What the target of a redirect means; undefined for one that stays in the app. */
export function readRedirect(location: string): 'sign-in' | 'consent' | 'sorry' | undefined {
  let url: URL
  try {
    url = new URL(location, 'https://gemini.google.com')
  } catch {
    return undefined
  }
  if (url.hostname.startsWith('consent.')) return 'consent'
  if (/^\/sorry(\/|$)/.test(url.pathname)) return 'sorry'
  if (url.hostname === 'accounts.google.com' || /^\/(ServiceLogin|v3\/signin|signin)/.test(url.pathname))
    return 'sign-in'
  return undefined
}

/** A page as the app serves it; without `token` it is the guest view. `padding` adds that many characters of script. */
export function buildAppPage(tokens: PageTokens, { padding = 0 }: { padding?: number } = {}): string {
  const data: Record<string, string> = {
    eptZe: '/_/BardChatUi/',
    qwAQke: 'BardChatUi',
    GWsdKe: tokens.language ?? 'en',
  }
  for (const name of Object.keys(PAGE_KEYS) as Array<keyof PageTokens>) {
    const value = tokens[name]
    if (value !== undefined) data[PAGE_KEYS[name]] = value
  }
  const sorted = Object.fromEntries(Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1)))
  const json = JSON.stringify(sorted).replace(/[=<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)
  return (
    `<!doctype html><html lang="${tokens.language ?? 'en'}" dir="ltr"><head><base href="https://gemini.google.com/app">\n` +
    `<script data-id="_gd" nonce="castor">window.WIZ_global_data = ${json};</script>\n` +
    `</head><body><chat-app></chat-app>${padding > 0 ? `<script>//${'.'.repeat(padding)}</script>` : ''}</body></html>`
  )
}

/** A Google error page; the reason text is localised upstream and must not be relied on. Source: fact sheet §5.2. */
export function buildErrorPage(status: number, reason: string): string {
  return `<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Error ${status} (${reason})!!1</title><p><b>${status}.</b> <ins>That’s an error.</ins>`
}

/** The interstitial for a flagged address. Source: fact sheet §1.2, examples http-03. */
export function buildSorryPage(): string {
  return '<html><head><title>Sorry...</title></head><body>unusual traffic from your computer network</body></html>'
}
