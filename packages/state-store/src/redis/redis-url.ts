import { StateError } from '../error.ts'

/** What of a Redis URL may be said in messages. The password may not, nor what could be a piece of it. */
export interface RedisUrl {
  /** Host and port. */
  address: string
  database: number
}

const ENCODE = 'A password with / ? # @ or % in it must be percent-encoded (encodeURIComponent)'

/** @throws {StateError} `invalid`, naming the part of the URL that is wrong, and quoting none of it. */
export function readRedisUrl(url: string): RedisUrl {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !/^rediss?:$/.test(parsed.protocol) || !hasReadableHost(parsed)) {
    throw new StateError(
      'invalid',
      `The Redis URL must look like redis://user:password@host:6379/0, or rediss://… for TLS. ${ENCODE}`,
    )
  }
  const { hostname, port, pathname, search, searchParams, hash } = parsed
  if (hash !== '' || search.includes('@'))
    throw new StateError('invalid', `The Redis URL goes on after the database. ${ENCODE}`)
  const database = searchParams.get('db') ?? pathname.slice(1)
  if (!/^\d{0,9}$/.test(database)) {
    throw new StateError(
      'invalid',
      `The database in the Redis URL, which follows host and port, must be a number such as /0. ${ENCODE}`,
    )
  }
  return { address: `${hostname}:${port || '6379'}`, database: Number(database) }
}

/** The driver decodes user and password. */
function hasReadableHost({ hostname, username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password)
    return hostname !== ''
  } catch {
    return false
  }
}
