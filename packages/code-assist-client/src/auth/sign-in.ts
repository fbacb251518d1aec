import { GenerationError } from '@castorjs/content-generator'
import { createFetchTransport, type Transport } from '@castorjs/http-transport'
import type { Credentials } from './credentials.ts'
import { AUTHORIZE_URL, PASTE_REDIRECT_URI, SCOPES, type OAuthClient } from './endpoints.ts'
import { createPkce, createState } from './pkce.ts'
import { exchangeCode } from './token-endpoint.ts'

export interface SignInOptions extends OAuthClient {
  /** Default: Google's page that shows the code, to be pasted. */
  redirectUri?: string
  transport?: Transport
  authorizeUrl?: string
  tokenUrl?: string
  now?: () => number
}

/** A sign-in under way. */
export interface SignIn {
  /** Page the user must open. */
  url: string
  /** What the browser must bring back with the code, where it brings it back itself. */
  state: string
  /**
   * Ends the sign-in with the code the user got. White space around it is ignored; a whole redirect URL works too.
   * @throws {GenerationError} `upstream_auth` when Google refuses the code.
   */
  finish(code: string, signal: AbortSignal): Promise<Credentials>
}

/** Begins a sign-in by pasted code. The page of `url` shows the user a code, which goes to `finish`. */
export async function beginSignIn({
  clientId,
  clientSecret,
  redirectUri = PASTE_REDIRECT_URI,
  transport = createFetchTransport(),
  authorizeUrl = AUTHORIZE_URL,
  tokenUrl,
  now,
}: SignInOptions): Promise<SignIn> {
  if (clientId === '' || clientSecret === '') {
    throw new GenerationError(
      'upstream_auth',
      'Signing in needs the id and the secret of an OAuth client of your own; none is shipped.',
    )
  }
  const { verifier, challenge } = await createPkce()
  const state = createState()
  const url = new URL(authorizeUrl)
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: SCOPES.join(' '),
    access_type: 'offline',
    // Without it Google hands out a refresh token only the first time.
    prompt: 'consent',
    state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  }).toString()
  const endpoint = { transport, ...(tokenUrl === undefined ? {} : { tokenUrl }), ...(now === undefined ? {} : { now }) }
  return {
    url: url.href,
    state,
    finish: (code, signal) =>
      exchangeCode(endpoint, { clientId, clientSecret }, { code: readCode(code), redirectUri, verifier }, signal),
  }
}

function readCode(pasted: string): string {
  const text = pasted.trim()
  if (URL.canParse(text)) return new URL(text).searchParams.get('code') ?? text
  return text
}
