import { buildRotatePage, buildRotateReply, readRotateBody, ROTATE_COOKIES } from '@castorjs/gemini-web-protocol'
import type { Account } from './accounts.ts'
import { pause } from './clock.ts'
import { SESSION_COOKIE, setCookie, TICKET_COOKIE } from './cookies.ts'
import { counterCookies, takeFault, type Exchange } from './exchange.ts'
import { HTML_TYPE, JSON_TYPE, respond, respondFault } from './respond.ts'

/** accounts.google.com: rotation of the ticket, the hidden page, and sign-in. Source: fact sheet §2. */
export async function accountsHost(exchange: Exchange): Promise<Response> {
  const { world, place, cookies, log, signal } = exchange
  if (!place.path.startsWith('/Rotate')) return signInPage(exchange)
  const account = world.accounts.bySession(cookies.get(SESSION_COOKIE))
  log.caller = account?.name ?? 'guest'
  const fault = takeFault(exchange, { place: 'rotate', account: log.caller })
  await pause(world.settings.latency.rotate, signal)
  const broken = respondFault(exchange, fault)
  if (broken !== undefined) return broken
  switch (place.path) {
    case '/RotateCookies':
      return rotateCookies(exchange, account)
    case '/RotateCookiesPage':
      return rotatePage(exchange, account)
    case '/RotateBoundCookies':
      return respond(exchange, '', { status: 401, headers: { 'sec-session-google-challenge': '"castor"' } })
    default:
      return respond(exchange, '', { status: 404 })
  }
}

function signInPage(exchange: Exchange): Response {
  return respond(
    exchange,
    '<!doctype html><html><head><title>Sign in - Google Accounts</title></head><body>Sign in</body></html>',
    { type: HTML_TYPE },
  )
}

async function rotateCookies(exchange: Exchange, account: Account | undefined): Promise<Response> {
  const { world, request, cookies } = exchange
  const { checks, newTicketOnRotate } = world.settings
  const { clock, accounts } = world
  if (request.method !== 'POST') return respond(exchange, '', { status: 405 })
  const body = readRotateBody(await request.text())
  if (body === undefined) return respond(exchange, '', { status: 400 })
  if (account === undefined || account.deviceBound || world.settings.deviceBound)
    return respond(exchange, '', { status: 401 })
  const reply = (status: number, setCookies: readonly string[] = []): Response =>
    respond(exchange, buildRotateReply({ nextSeconds: 600, ms: status === 429 ? 4 : 21 }), {
      status,
      type: JSON_TYPE,
      setCookies,
    })
  if (body.route === 'page') return reply(200, counterCookies(account))
  if (checks.rotateCookies && [...cookies.keys()].some((name) => !ROTATE_COOKIES.includes(name)))
    return respond(exchange, '', { status: 401 })
  // Somebody else has rotated this session: what we hold is the ticket from before.
  const held = cookies.get(TICKET_COOKIE)
  if (
    held !== undefined &&
    account.ticket !== null &&
    held !== account.ticket.value &&
    held !== account.replaced?.value
  )
    return respond(exchange, '', { status: 401 })
  if (account.lastRotationMs !== undefined && clock.now() - account.lastRotationMs < checks.rotateDistanceMs)
    return reply(429)
  if (account.ticket === null || !newTicketOnRotate) return reply(200, counterCookies(account))
  const ticket = accounts.rotate(account)
  return reply(200, [
    setCookie(TICKET_COOKIE, ticket, { priorityHigh: true }),
    setCookie('__Secure-3PSIDTS', ticket, { priorityHigh: true, sameSiteNone: true }),
    ...counterCookies(account),
  ])
}

function rotatePage(exchange: Exchange, account: Account | undefined): Response {
  if (account === undefined) return respond(exchange, '', { status: 401 })
  return respond(
    exchange,
    buildRotatePage({ session: `4${account.profiles[0]?.accountNumber.slice(0, 18) ?? ''}`, intervalSeconds: 600 }),
    {
      type: HTML_TYPE,
      setCookies: counterCookies(account),
    },
  )
}
