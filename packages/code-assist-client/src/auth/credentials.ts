import { GenerationError } from '@castorjs/content-generator'

/** A signed-in Google account. Everything here but `project` and `email` is secret. */
export interface Credentials {
  accessToken?: string
  refreshToken?: string
  /** When the access token ends, in milliseconds since the epoch. */
  expiresAt?: number
  /** Only where the file brought them along, as `authorized_user` files do. */
  clientId?: string
  clientSecret?: string
  project?: string
  email?: string
}

/**
 * Reads a credential file: Gemini CLI's `oauth_creds.json`, Google's `authorized_user`, and the shapes other tools write.
 * Source: `code-assist.md` section 2.
 *
 * @param value Parsed JSON.
 * @throws {GenerationError} `upstream_auth` when there is neither an access nor a refresh token in it.
 */
export function readCredentials(value: unknown): Credentials {
  const outer = asObject(value)
  // Go's oauth2 keeps the token in an object of its own.
  const inner = { ...outer, ...asObject(outer.token) }
  const text = (...names: string[]): string | undefined => {
    for (const name of names) if (typeof inner[name] === 'string' && inner[name] !== '') return inner[name]
    return undefined
  }
  const credentials = compact({
    accessToken: text('access_token', 'accessToken') ?? (typeof outer.token === 'string' ? outer.token : undefined),
    refreshToken: text('refresh_token', 'refreshToken'),
    expiresAt: readExpiry(inner),
    clientId: text('client_id', 'clientId'),
    clientSecret: text('client_secret', 'clientSecret'),
    project: text('project_id', 'projectId', 'project', 'quota_project_id'),
    email: text('email', 'account'),
  })
  if (credentials.accessToken !== undefined || credentials.refreshToken !== undefined) return credentials
  throw new GenerationError(
    'upstream_auth',
    'The credentials for Code Assist hold neither an access token nor a refresh token. Sign in again.',
  )
}

/** The same as Gemini CLI writes it, so that either can read the other's file. */
export function writeCredentials({ accessToken, refreshToken, expiresAt }: Credentials): Record<string, unknown> {
  return compact({
    access_token: accessToken,
    refresh_token: refreshToken,
    token_type: 'Bearer',
    expiry_date: expiresAt,
  })
}

function readExpiry(fields: Record<string, unknown>): number | undefined {
  const { expiry_date: milliseconds, expiresAt, expiry } = fields
  const known = milliseconds ?? expiresAt
  if (typeof known === 'number') return known
  if (typeof expiry !== 'string') return undefined
  // Some tools write no zone and mean UTC.
  const time = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/i.test(expiry) ? expiry : `${expiry}Z`)
  return Number.isNaN(time) ? undefined : time
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

function compact<Fields extends object>(fields: Fields): { [Name in keyof Fields]: NonNullable<Fields[Name]> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [Name in keyof Fields]: NonNullable<Fields[Name]> }
}
