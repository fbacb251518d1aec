import { GenerationError, isGenerationError } from '@castorjs/content-generator'
import { orAbort } from '../or-abort.ts'
import type { Credentials } from './credentials.ts'
import type { OAuthClient } from './endpoints.ts'
import { refreshTokens, type TokenEndpoint } from './token-endpoint.ts'

/** Keeps tokens that were renewed, so that a restart finds them. */
export interface TokenStorage {
  /** Called after each refresh. What it throws fails the request: a lost refresh token would cost the account. */
  save(credentials: Credentials): Promise<void>
}

export interface TokenSourceOptions extends TokenEndpoint {
  credentials: Credentials
  /** Where the credentials bring no client along. */
  client: OAuthClient | undefined
  storage: TokenStorage | undefined
}

/** Access tokens that are good now. */
export interface TokenSource {
  /**
   * @param refused The token Google just refused: it is renewed, however good it looked.
   * @throws {GenerationError} `upstream_auth` when a person must sign in again; without asking Google twice.
   */
  get(signal: AbortSignal, refused?: string): Promise<string>
}

/** Tokens are renewed this long before they end. */
const EARLY_MS = 300_000

/** Hands out access tokens and renews them: early, once for all who wait, and never again after a final refusal. */
export function createTokenSource({
  credentials: given,
  client: configured,
  storage,
  ...endpoint
}: TokenSourceOptions): TokenSource {
  const now = endpoint.now ?? Date.now
  let credentials = given
  let refreshing: Promise<void> | undefined
  let dead: GenerationError | undefined

  function readClient(): OAuthClient {
    const { clientId, clientSecret } = given
    if (clientId !== undefined && clientSecret !== undefined) return { clientId, clientSecret }
    if (configured !== undefined) return configured
    throw new GenerationError(
      'upstream_auth',
      'The access token has ended, and renewing it needs the id and the secret of the OAuth client that made it. Configure both, or sign in again.',
    )
  }

  async function refresh(): Promise<void> {
    const { refreshToken } = credentials
    if (refreshToken === undefined) {
      throw new GenerationError(
        'upstream_auth',
        'The access token has ended and there is no refresh token. Sign in again.',
      )
    }
    // Not the caller's signal: others wait for this too.
    const fresh = await refreshTokens(endpoint, readClient(), refreshToken, AbortSignal.timeout(30_000))
    credentials = { ...credentials, ...fresh }
    await storage?.save(credentials)
  }

  return {
    async get(signal, refused) {
      if (dead !== undefined) throw dead
      const { accessToken, expiresAt = Infinity } = credentials
      const good = accessToken !== undefined && accessToken !== refused && expiresAt - now() > EARLY_MS
      if (good) return accessToken
      // The early minutes are a courtesy: without a way to renew, a token is used to its end.
      const cannotRenew = credentials.refreshToken === undefined && accessToken !== refused && expiresAt > now()
      if (accessToken !== undefined && cannotRenew) return accessToken
      refreshing ??= refresh().finally(() => (refreshing = undefined))
      try {
        await orAbort(refreshing, signal)
      } catch (error) {
        if (isGenerationError(error) && error.code === 'upstream_auth') dead = error
        throw error
      }
      return credentials.accessToken ?? ''
    },
  }
}
