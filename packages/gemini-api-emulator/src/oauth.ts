import type { Fault } from './faults.ts'
import { jsonResponse } from './wire.ts'

/** The sign-in of Google as far as Code Assist needs it. Source: `code-assist.md` section 2. */
export interface OAuth {
  /** True for an access token that is known and not expired. */
  accepts(token: string): boolean
  expireAll(): void
  /** `GET /o/oauth2/v2/auth`: a user who says yes at once. */
  authorize(url: URL): Promise<Response>
  /** `POST /token`. */
  token(form: URLSearchParams, fault: Fault | undefined): Promise<Response>
}

export interface OAuthOptions {
  accessTokens: readonly string[]
  refreshTokens: readonly string[]
  /** Client ids and their secrets. Undefined lets any client in. */
  clients: Record<string, string> | undefined
}

interface Grant {
  clientId: string
  redirectUri: string
  challenge: string | null
}

const AUTH_CODE_PAGE = 'https://codeassist.google.com/authcode'

export function createOAuth({ accessTokens, refreshTokens, clients }: OAuthOptions): OAuth {
  const valid = new Set(accessTokens)
  const refresh = new Set(refreshTokens)
  const grants = new Map<string, Grant>()
  let count = 0

  function issue(withRefresh: boolean): Record<string, unknown> {
    const access = `ya29.emulated-${++count}`
    valid.add(access)
    const rest = { expires_in: 3_599, token_type: 'Bearer', scope: 'https://www.googleapis.com/auth/cloud-platform' }
    if (!withRefresh) return { access_token: access, ...rest }
    const refreshToken = `1//emulated-${count}`
    refresh.add(refreshToken)
    return { access_token: access, refresh_token: refreshToken, ...rest }
  }

  return {
    accepts: (token) => valid.has(token),
    expireAll: () => valid.clear(),
    async authorize(url) {
      const query = url.searchParams
      const redirectUri = query.get('redirect_uri') ?? ''
      const pasted = redirectUri === AUTH_CODE_PAGE
      const loopback = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\]):\d+\//.test(redirectUri)
      const clientId = query.get('client_id') ?? ''
      if (query.get('response_type') !== 'code' || !(pasted || loopback) || clientId === '') {
        return new Response('Error 400: invalid_request', { status: 400 })
      }
      if (clients !== undefined && clients[clientId] === undefined) {
        return new Response('Error 401: invalid_client', { status: 401 })
      }
      if (query.get('code_challenge_method') === 'plain') return new Response('Error 400', { status: 400 })
      const code = `4/emulated-${++count}`
      grants.set(code, { clientId, redirectUri, challenge: query.get('code_challenge') })
      if (pasted) return new Response(`Your code: ${code}`, { headers: { 'content-type': 'text/plain' } })
      const back = new URL(redirectUri)
      back.searchParams.set('code', code)
      back.searchParams.set('state', query.get('state') ?? '')
      return new Response(null, { status: 302, headers: { location: back.href } })
    },
    async token(form, fault) {
      if (fault?.kind === 'oauth-error') return oauthError(fault.code, fault.error)
      const clientId = form.get('client_id') ?? ''
      if (clients !== undefined && clients[clientId] !== form.get('client_secret'))
        return oauthError(401, 'invalid_client')
      if (form.get('grant_type') === 'refresh_token') {
        return refresh.has(form.get('refresh_token') ?? '')
          ? jsonResponse(issue(false))
          : oauthError(400, 'invalid_grant')
      }
      if (form.get('grant_type') !== 'authorization_code') return oauthError(400, 'unsupported_grant_type')
      const code = form.get('code') ?? ''
      const grant = grants.get(code)
      grants.delete(code)
      const fits = grant?.clientId === clientId && grant.redirectUri === form.get('redirect_uri')
      if (grant === undefined || !fits || !(await provesChallenge(grant.challenge, form.get('code_verifier')))) {
        return oauthError(400, 'invalid_grant')
      }
      return jsonResponse(issue(true))
    },
  }
}

function oauthError(code: number, error: string): Response {
  return jsonResponse({ error, error_description: 'Bad Request' }, code)
}

async function provesChallenge(challenge: string | null, verifier: string | null): Promise<boolean> {
  if (challenge === null) return true
  if (verifier === null) return false
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)))
  const hash = btoa(String.fromCharCode(...digest))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
  return hash === challenge
}
