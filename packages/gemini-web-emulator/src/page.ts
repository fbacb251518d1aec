import { buildAppPage, DEFAULT_PCTX, type PageTokens } from '@castorjs/gemini-web-protocol'
import { pause } from './clock.ts'
import { callerName, counterCookies, guestCookies, hasSession, identify, takeFault, type Exchange } from './exchange.ts'
import { hashText } from './ids.ts'
import { HTML_TYPE, redirect, REDIRECTS, respond, respondFault, respondThrough } from './respond.ts'

/** Build label of the emulated page. */
const BUILD_LABEL = 'boq_assistant-bard-web-server_20260919.05_p2'
/** `Push-ID` of the emulated page. */
export const PUSH_ID = 'feeds/castoremulator01'

/** The app page: signed in, guest view, or one of the redirects. Source: fact sheet §1.2. */
export async function appPage(exchange: Exchange, accountIndex: number): Promise<Response> {
  const { world, log, signal, cookies, url, request } = exchange
  const { settings, ids } = world
  const caller = identify(exchange, accountIndex)
  log.caller = caller.verdict === 'ok' || caller.verdict === 'guest' ? callerName(caller) : `guest (${caller.verdict})`
  const fault = takeFault(exchange, { place: 'page', account: callerName(caller) })
  await pause(settings.latency.page, signal)
  const broken = respondFault(exchange, fault)
  if (broken !== undefined) return broken
  if (request.method !== 'GET' && request.method !== 'HEAD') return respond(exchange, '', { status: 405 })
  if (settings.consent) return redirect(exchange, REDIRECTS.consent)
  if (caller.verdict === 'no-such-profile') return redirect(exchange, REDIRECTS['sign-in'])
  if (settings.deadSession === 'sign-in' && caller.verdict === 'unknown-session')
    return redirect(exchange, REDIRECTS['sign-in'])

  const language = url.searchParams.get('hl')?.split('-')[0] ?? 'en'
  const tokens: PageTokens = {
    buildLabel: BUILD_LABEL,
    sessionId: ids.signed(),
    language,
    pushId: PUSH_ID,
    pctx: DEFAULT_PCTX,
  }
  if (caller.account !== undefined) {
    tokens.accountNumber = caller.profile.accountNumber
    tokens.email = caller.profile.email
    if (settings.tokenOnPage) {
      tokens.token = world.accounts.issueToken(caller.account, caller.profile)
      tokens.secondToken = `castor${hashText(tokens.token).toString(36)}`
    }
  }
  return respondThrough(exchange, appPageText(tokens, settings.pageBytes), fault, {
    type: HTML_TYPE,
    headers: { 'x-frame-options': 'DENY', ...policyHeader(settings.pageHeaderBytes) },
    setCookies: [...guestCookies({ world, cookies }), ...counterCookies(caller.account)],
  })
}

let filler = ''

/** A page of about `bytes` bytes; the script that fills it is made once. */
function appPageText(tokens: PageTokens, bytes: number): string {
  const page = buildAppPage(tokens)
  const missing = Math.max(0, bytes - page.length - 19)
  if (filler.length < missing) filler = '.'.repeat(missing)
  return missing === 0 ? page : page.replace('</body>', `<script>//${filler.slice(0, missing)}</script></body>`)
}

/** A policy as long as a test wants it: the real one makes headers pass 16 KB. */
function policyHeader(bytes: number): Record<string, string> {
  if (bytes <= 0) return {}
  return {
    'content-security-policy': `script-src 'report-sample' ${'https://castor.example.com '.repeat(Math.ceil(bytes / 27)).slice(0, bytes)}`,
  }
}

/** www.google.com: gives NID, and shows the interstitial. */
export function googlePage(exchange: Exchange): Response {
  const { place, log } = exchange
  log.caller = hasSession(exchange.cookies) ? 'cookies' : 'guest'
  if (place.path.startsWith('/sorry')) {
    return respond(
      exchange,
      '<html><head><title>Sorry...</title></head><body>unusual traffic from your computer network</body></html>',
      { status: 429, type: 'text/html' },
    )
  }
  return respond(exchange, '<!doctype html><html><head><title>Google</title></head><body>Google</body></html>', {
    type: HTML_TYPE,
    setCookies: guestCookies(exchange, { compass: false }),
  })
}
