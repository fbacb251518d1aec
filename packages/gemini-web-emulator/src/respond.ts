import { buildErrorPage, buildSorryPage, encodeErrorReply } from '@castorjs/gemini-web-protocol'
import { toBody } from './body.ts'
import type { Exchange } from './exchange.ts'
import type { Fault } from './faults.ts'

export interface RespondOptions {
  status?: number
  type?: string
  headers?: Readonly<Record<string, string>>
  setCookies?: readonly string[]
}

export const JSON_TYPE = 'application/json; charset=utf-8'
export const HTML_TYPE = 'text/html; charset=utf-8'
export const TEXT_TYPE = 'text/plain'

/** A reply with its cookies, its status noted in the log. */
export function respond(
  { log }: Pick<Exchange, 'log'>,
  body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null,
  options: RespondOptions = {},
): Response {
  const { status = 200, type, headers = {}, setCookies = [] } = options
  log.status = status
  const lines = new Headers(headers)
  if (type !== undefined) lines.set('content-type', type)
  for (const cookie of setCookies) lines.append('set-cookie', cookie)
  return new Response(body, { status, headers: lines })
}

/** The `er` body of a request that failed as a whole. */
export function respondError(
  exchange: Exchange,
  status: number,
  code: number,
  options: RespondOptions & { xsrfToken?: string; accountNumber?: string } = {},
): Response {
  const { xsrfToken, accountNumber, ...rest } = options
  const body = encodeErrorReply({
    status,
    code,
    framed: isFramed(exchange),
    ...(xsrfToken === undefined ? {} : { xsrfToken }),
    ...(accountNumber === undefined ? {} : { accountNumber }),
  })
  return respond(exchange, body, { ...rest, status, type: JSON_TYPE })
}

/** Whether the caller asked for lengths (`rt=c`). */
export function isFramed({ url }: Pick<Exchange, 'url'>): boolean {
  return url.searchParams.get('rt') === 'c'
}

export function redirect(exchange: Exchange, location: string, setCookies: readonly string[] = []): Response {
  return respond(exchange, '<HTML><HEAD><TITLE>Moved Temporarily</TITLE></HEAD><BODY></BODY></HTML>', {
    status: 302,
    type: 'text/html; charset=UTF-8',
    headers: { location },
    setCookies,
  })
}

/** Where the service sends those it does not want. Source: examples http-03. */
export const REDIRECTS = {
  'sign-in':
    'https://accounts.google.com/ServiceLogin?passive=1209600&continue=https://gemini.google.com/app&followup=https://gemini.google.com/app',
  consent: 'https://consent.google.com/ml?continue=https://gemini.google.com/app&gl=DE&m=0&pc=bard&cm=2&hl=en',
  sorry: 'https://www.google.com/sorry/index?continue=https://gemini.google.com/app&q=castor',
} as const

export function respondSorry(exchange: Exchange): Response {
  if (exchange.world.settings.sorryStyle === 'redirect') return redirect(exchange, REDIRECTS.sorry)
  return respond(exchange, buildSorryPage(), { status: 429, type: 'text/html' })
}

/** The reply of a fault that leaves nothing of the real one; undefined for a fault inside a body. */
export function respondFault(exchange: Exchange, fault: Fault | undefined): Response | undefined {
  switch (fault?.kind) {
    case 'http':
      return respondHttpFault(
        exchange,
        fault.status,
        fault.body ?? (fault.status === 429 ? 'sorry' : fault.status < 500 ? 'er' : 'html'),
      )
    case 'redirect':
      return redirect(exchange, REDIRECTS[fault.to])
    case 'html':
      return respond(
        exchange,
        '<!doctype html><html><head><title>Sign in - Google Accounts</title></head><body>Sign in</body></html>',
        { type: HTML_TYPE },
      )
    case 'reset':
      if (fault.afterBytes !== 0) return undefined
      exchange.reset()
      throw new TypeError('fetch failed: the connection was reset')
    default:
      return undefined
  }
}

/** Codes of the framework by HTTP status. Source: fact sheet §5.2. */
const FRAMEWORK_CODES: Readonly<Record<number, number>> = { 400: 3, 401: 16, 403: 7, 405: 9 }

function respondHttpFault(exchange: Exchange, status: number, body: 'er' | 'html' | 'sorry' | 'empty'): Response {
  if (body === 'er') return respondError(exchange, status, FRAMEWORK_CODES[status] ?? 13)
  if (body === 'empty') return respond(exchange, '', { status })
  return respond(exchange, body === 'sorry' ? buildSorryPage() : buildErrorPage(status, 'Castor'), {
    status,
    type: HTML_TYPE,
  })
}

/** A whole body that a fault may still cut, stall or break. */
export function respondThrough(
  exchange: Exchange,
  body: string | Uint8Array<ArrayBuffer>,
  fault: Fault | undefined,
  options: RespondOptions,
): Response {
  const { chunkBytes } = exchange.world.settings
  if (fault === undefined && typeof chunkBytes === 'string') return respond(exchange, body, options)
  async function* once(): AsyncGenerator<string | Uint8Array<ArrayBuffer>> {
    yield body
  }
  return respond(exchange, streamBody(exchange, once(), fault), options)
}

/** A body that is made while it is read, cut to size and struck by a fault. */
export function streamBody(
  exchange: Exchange,
  frames: AsyncGenerator<string | Uint8Array>,
  fault: Fault | undefined,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const { world, signal, reset, silent } = exchange
  exchange.streaming = true
  return toBody(frames, {
    chunkBytes: world.settings.chunkBytes,
    fault,
    signal,
    reset,
    silent,
    onEnd: () => exchange.end(),
  })
}
