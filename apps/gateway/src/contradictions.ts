import type { Config } from './config-schema.ts'
import { cookiesOf } from './upstreams/web-session.ts'

/**
 * Rules that hold between settings: what breaks them, each with its key and without a value.
 *
 * @param names Which variable stands behind a place in the configuration.
 */
export function contradictions(config: Config, names: Map<string, string>): string[] {
  const nameOf = (path: string): string => names.get(path) ?? path
  return [
    ...accountMistakes(config.accounts, names),
    ...repeated(nameOf('apiKeys'), 'id', config.apiKeys, ({ id }) => id),
    ...repeated(nameOf('geminiApi.keys'), 'label', config.geminiApi.keys, ({ label }) => label),
    ...repeated(nameOf('codeAssist.accounts'), 'label', config.codeAssist.accounts, ({ label }) => label),
    ...unconfigured(config, nameOf),
    ...pairMistakes(config.codeAssist),
    ...(config.mediaStore.kind === 's3' && config.mediaStore.s3 === undefined
      ? [
          `${nameOf('mediaStore.kind')}: s3 needs mediaStore.s3, by S3_ENDPOINT, S3_BUCKET, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY`,
        ]
      : []),
  ]
}

function accountMistakes(accounts: Config['accounts'], names: Map<string, string>): string[] {
  const found = repeated('accounts', 'label', accounts, ({ label }) => label)
  const ofEnvironment = [...names].flatMap(([path, name]) => (path.startsWith('accounts.') ? [name] : []))
  for (const [index, account] of accounts.entries()) {
    const { label, cookies, secure1psid } = account
    const where = index === 0 && ofEnvironment.length > 0 ? ofEnvironment.join(', ') : 'accounts'
    if (cookies === undefined && secure1psid === undefined) {
      found.push(`${where}: "${label}" has no cookies; set SECURE_1PSID (and SECURE_1PSIDTS), or \`cookies\``)
    }
    try {
      cookiesOf(account)
    } catch (error) {
      found.push(`${where}: the cookies of "${label}": ${error instanceof Error ? error.message : 'cannot be read'}`)
    }
  }
  return found
}

/** Which one it is stays unsaid: what stands before a `=` may be the beginning of a key. */
function repeated<Member>(
  where: string,
  what: 'id' | 'label',
  members: readonly Member[],
  read: (member: Member) => string,
): string[] {
  return new Set(members.map(read)).size === members.length ? [] : [`${where}: two have the same ${what}`]
}

function unconfigured(config: Config, nameOf: (path: string) => string): string[] {
  const remedies = {
    'gemini-web': undefined,
    'gemini-api': config.geminiApi.keys.length > 0 ? undefined : 'GEMINI_API_KEY',
    'code-assist': config.codeAssist.accounts.length > 0 ? undefined : 'CODE_ASSIST_CREDENTIALS',
  }
  const mounted = (config.mounts ?? []).flatMap(({ upstreams }) =>
    upstreams.map((route) => (typeof route === 'string' ? route : route.use)),
  )
  const wanted = [
    ...[...new Set(mounted)].map((upstream) => ({ where: 'mounts', upstream })),
    { where: nameOf('defaultUpstream'), upstream: config.defaultUpstream },
  ]
  return wanted.flatMap(({ where, upstream }) => {
    const remedy = remedies[upstream]
    return remedy === undefined ? [] : [`${where}: ${upstream} is used but not configured; set ${remedy}`]
  })
}

function pairMistakes({ clientId, clientSecret }: Config['codeAssist']): string[] {
  if ((clientId === undefined) === (clientSecret === undefined)) return []
  const [there, missing] = clientSecret === undefined ? ['ID', 'SECRET'] : ['SECRET', 'ID']
  return [`CODE_ASSIST_CLIENT_${there}: needs CODE_ASSIST_CLIENT_${missing} beside it`]
}
