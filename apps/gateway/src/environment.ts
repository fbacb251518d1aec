/** How the text of a variable becomes a value. A function that throws names what it wanted. */
type Read = (text: string) => unknown

const text: Read = (value) => value
const list: Read = (value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')

const number: Read = (value) => {
  if (value.trim() === '' || !Number.isFinite(Number(value))) throw new Error('must be a number')
  return Number(value)
}

const flag: Read = (value) => {
  if (/^(true|yes|on|1)$/i.test(value)) return true
  if (/^(false|no|off|0)$/i.test(value)) return false
  throw new Error('must be true or false')
}

/** A number, or `false` for no limit. 0 is a number: nothing could pass, which is refused later, by name. */
const ceiling: Read = (value) => (/^(false|no|off)$/i.test(value) ? false : number(value))

/** Several keys, each `name=key` or just the key. None at all would open the door that the variable is there to close. */
const keys: Read = (value) => {
  const items = list(value) as string[]
  if (items.length === 0) throw new Error('must hold at least one key')
  return items.map((item, index) => {
    const [, id, key] = /^([\w.-]{1,40})=(.+)$/.exec(item) ?? []
    return id === undefined ? { id: index === 0 ? 'default' : `key-${index + 1}`, key: item } : { id, key }
  })
}

/** Several keys of the official API, each `name=key` or just the key. */
const apiKeys: Read = (value) =>
  (keys(value) as { id: string; key: string }[]).map(({ id, key }) => ({ label: id, key }))

/** Keys of the state, the sealing one first: each the key alone, or `id:key`. */
const stateKeys: Read = (value) =>
  (list(value) as string[]).map((item) => {
    const [, id = 'environment', key = item] = /^([\w.-]{1,64}):(.+)$/.exec(item) ?? []
    return { id, key }
  })

/**
 * Variables and where they go in the configuration. The first three blocks are those of the reference
 * servers, so that their `.env` files work as they are.
 */
export const VARIABLES: Record<string, { path: readonly string[]; read: Read }> = {
  PORT: { path: ['port'], read: number },
  HOST: { path: ['host'], read: text },
  API_KEY: { path: ['apiKeys'], read: keys },

  ADMIN_KEY: { path: ['adminKey'], read: text },

  SECURE_1PSID: { path: ['accounts', 'environment', 'secure1psid'], read: text },
  SECURE_1PSIDTS: { path: ['accounts', 'environment', 'secure1psidts'], read: text },
  SECURE_1PSIDCC: { path: ['accounts', 'environment', 'secure1psidcc'], read: text },
  GEMINI_COOKIES: { path: ['accounts', 'environment', 'cookies'], read: text },
  GEMINI_ACCOUNT_INDEX: { path: ['accounts', 'environment', 'accountIndex'], read: number },

  LIMIT_PER_HOUR: { path: ['limits', 'perHour'], read: ceiling },
  LIMIT_MODEL_SPACING_MS: { path: ['limits', 'modelSpacingMs'], read: ceiling },

  GEMINI_API_KEY: { path: ['geminiApi', 'keys'], read: apiKeys },
  CODE_ASSIST_CREDENTIALS: {
    path: ['codeAssist', 'accounts'],
    read: (value) => [{ label: 'default', credentialsFile: value }],
  },
  CODE_ASSIST_CLIENT_ID: { path: ['codeAssist', 'clientId'], read: text },
  CODE_ASSIST_CLIENT_SECRET: { path: ['codeAssist', 'clientSecret'], read: text },
  DEFAULT_UPSTREAM: { path: ['defaultUpstream'], read: text },

  GEMINI_PROXY: { path: ['geminiWeb', 'proxy'], read: text },
  GEMINI_LANGUAGE: { path: ['geminiWeb', 'language'], read: text },
  GEMINI_GUEST: { path: ['geminiWeb', 'guest'], read: flag },

  EGRESS_NAME: { path: ['egress'], read: text },
  WEBHOOK_URL: { path: ['webhookUrl'], read: text },

  REDIS_URL: { path: ['state', 'redisUrl'], read: text },
  STATE_KEY: { path: ['state', 'keys'], read: stateKeys },

  REMOVE_WATERMARK: { path: ['media', 'removeWatermark'], read: flag },
  MEDIA_STORE: { path: ['mediaStore', 'kind'], read: text },
  S3_ENDPOINT: { path: ['mediaStore', 's3', 'endpoint'], read: text },
  S3_BUCKET: { path: ['mediaStore', 's3', 'bucket'], read: text },
  S3_ACCESS_KEY_ID: { path: ['mediaStore', 's3', 'accessKeyId'], read: text },
  S3_SECRET_ACCESS_KEY: { path: ['mediaStore', 's3', 'secretAccessKey'], read: text },
  S3_REGION: { path: ['mediaStore', 's3', 'region'], read: text },

  ALLOW_ANYONE: { path: ['allowAnyone'], read: flag },
  CORS_ORIGINS: { path: ['corsOrigins'], read: list },
  DATA_DIR: { path: ['dataDir'], read: text },
  PUBLIC_BASE_URL: { path: ['publicBaseUrl'], read: text },
  MAX_BODY_BYTES: { path: ['maxBodyBytes'], read: number },
  STRICT_MODEL: { path: ['strictModel'], read: flag },
  ALLOW_PRIVATE_HOSTS: { path: ['remoteFiles', 'allowPrivate'], read: list },
  LOG_LEVEL: { path: ['log', 'level'], read: text },
  LOG_FORMAT: { path: ['log', 'format'], read: text },
}
