import { GenerationError } from '@castorjs/content-generator'
import { toWireError } from '@castorjs/gemini-api-client/wire'
import type { Transport } from '@castorjs/http-transport'
import type { Credentials } from './credentials.ts'
import { TOKEN_URL, type OAuthClient } from './endpoints.ts'

export interface TokenEndpoint {
  transport: Transport
  /** Default Google's. */
  tokenUrl?: string
  now?: () => number
}

const MAX_ANSWER_BYTES = 100_000

/**
 * Exchanges the code of a sign-in for tokens.
 *
 * @throws {GenerationError} `upstream_auth` when Google refuses it.
 */
export function exchangeCode(
  endpoint: TokenEndpoint,
  client: OAuthClient,
  grant: { code: string; redirectUri: string; verifier: string },
  signal: AbortSignal,
): Promise<Credentials> {
  return ask(endpoint, client, signal, {
    grant_type: 'authorization_code',
    code: grant.code,
    redirect_uri: grant.redirectUri,
    code_verifier: grant.verifier,
  })
}

/**
 * Asks for a new access token. Google sends no new refresh token as a rule: the old one stays.
 *
 * @throws {GenerationError} `upstream_auth` when the sign-in was revoked or is not this client's.
 */
export async function refreshTokens(
  endpoint: TokenEndpoint,
  client: OAuthClient,
  refreshToken: string,
  signal: AbortSignal,
): Promise<Credentials> {
  const fresh = await ask(endpoint, client, signal, { grant_type: 'refresh_token', refresh_token: refreshToken })
  return { refreshToken, ...fresh }
}

async function ask(
  { transport, tokenUrl = TOKEN_URL, now = Date.now }: TokenEndpoint,
  { clientId, clientSecret }: OAuthClient,
  signal: AbortSignal,
  grant: Record<string, string>,
): Promise<Credentials> {
  let status: number
  let text: string
  try {
    const response = await transport(tokenUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams({ ...grant, client_id: clientId, client_secret: clientSecret }).toString(),
      signal,
    })
    status = response.status
    text = await response.text(MAX_ANSWER_BYTES)
  } catch (error) {
    throw toWireError(error, signal)
  }
  const body = parse(text)
  const accessToken = body.access_token
  if (status === 200 && typeof accessToken === 'string') {
    const seconds = typeof body.expires_in === 'number' ? body.expires_in : 3_600
    const refreshToken = typeof body.refresh_token === 'string' ? { refreshToken: body.refresh_token } : {}
    return { accessToken, expiresAt: now() + seconds * 1_000, ...refreshToken }
  }
  throw toTokenError(status, typeof body.error === 'string' ? body.error : '')
}

function toTokenError(status: number, error: string): GenerationError {
  const upstreamCode = /^[a-z_]{1,40}$/.test(error) ? error : String(status)
  switch (error) {
    case 'invalid_grant':
      return new GenerationError('upstream_auth', 'The sign-in to Google was revoked or has expired. Sign in again.', {
        upstreamCode,
      })
    case 'invalid_client':
    case 'unauthorized_client':
      return new GenerationError(
        'upstream_auth',
        'The OAuth client id and secret do not belong to this sign-in. Configure the pair it was made with, or sign in again.',
        { upstreamCode },
      )
    default:
      break
  }
  if (status === 429 || status >= 500) {
    return new GenerationError('upstream_unavailable', 'Google’s sign-in has trouble answering. Try again.', {
      upstreamCode,
    })
  }
  return new GenerationError(
    'upstream_auth',
    `Google’s sign-in refused the request (${upstreamCode}). Sign in again.`,
    { upstreamCode },
  )
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
