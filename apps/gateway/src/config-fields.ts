import { createNodeGuardedFetch } from '@castorjs/guarded-fetch/node'
import { readRedisUrl } from '@castorjs/state-store/redis'
import * as v from 'valibot'
import { readProxyUrl } from './proxy-url.ts'

// Values of the configuration that need more than a type. No message repeats a value: it may be a secret.

/** A whole number from `from` on. */
export const wholeFrom = (from: number) => v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(from))
export const port = v.pipe(wholeFrom(0), v.maxValue(65_535))
export const httpUrl = v.pipe(
  v.string(),
  v.check(
    (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol),
    'must be a URL such as http://127.0.0.1:8765',
  ),
)
const PROXY_WORDS =
  'must look like http://host:port or socks5://user:password@host:port, with a port up to 65535 and %2F, %3F, %23 for / ? # in a password'
export const ProxySchema = v.pipe(
  v.string(PROXY_WORDS),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const proxy = readProxyUrl(dataset.value)
    if (proxy !== undefined) return proxy
    addIssue({ message: PROXY_WORDS })
    return NEVER
  }),
)
/** Shown in logs, states and on terminals. */
export const label = v.pipe(
  v.string(),
  v.nonEmpty('must not be empty'),
  v.regex(
    /^[^\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]*$/u,
    'must not hold control characters, line breaks or marks that turn the direction of text',
  ),
)
/** The octets of a cookie. Source: RFC 6265 section 4.1.1. */
export const cookieValue = v.pipe(
  v.string(),
  v.regex(
    /^(?!__Secure-)[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/,
    'must be the value of the cookie alone, without its name, quotes or spaces',
  ),
)
export const milliseconds = v.pipe(v.number(), v.minValue(0, 'must not be negative'))

/** A number that holds something back, or `false`. 0 would hold everything back, which nobody means. */
function numberOrFalse(wanted: string, fits: (value: number) => boolean) {
  const message = `must be ${wanted}, or false for no limit; 0 would let nothing pass`
  return v.pipe(
    v.union([v.literal(false), v.number()], message),
    v.check((value) => value === false || fits(value), message),
  )
}
export const ceiling = numberOrFalse('a number from 1 on', (value) => value >= 1)
export const requests = numberOrFalse(
  'a whole number of requests from 1 on',
  (value) => Number.isSafeInteger(value) && value >= 1,
)
export const spacing = numberOrFalse(
  'a number of milliseconds from 1 to 3600000',
  (value) => value >= 1 && value <= 3_600_000,
)

/** `null` is what a browser sends for a page of no site; apps have schemes of their own. */
export const origin = v.pipe(
  v.string(),
  v.regex(
    /^(\*|null|[a-z][a-z\d+.-]*:\/\/[^\s/?#]+)$/i,
    'must be an origin such as https://chat.example.com, without a path, or *',
  ),
)

/** It travels in a header. */
export const geminiApiKey = v.pipe(v.string(), v.regex(/^[\x21-\x7e]+$/, 'must be a key of letters, digits and signs'))

export const redisUrl = v.pipe(
  v.string(),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    try {
      readRedisUrl(dataset.value)
    } catch (error) {
      addIssue({ message: error instanceof Error ? error.message : 'cannot be read' })
    }
  }),
)

export const privateHost = v.pipe(
  v.string(),
  v.check(isPrivateHost, 'must be host:port or a network such as 192.168.1.0/24'),
)

function isPrivateHost(entry: string): boolean {
  try {
    // The reader of the list is the one that will use it.
    createNodeGuardedFetch({ allowPrivate: [entry] })
    return true
  } catch {
    return false
  }
}
