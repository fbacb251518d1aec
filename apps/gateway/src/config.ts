import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import * as v from 'valibot'
import { ConfigSchema, type Config } from './config-schema.ts'
import { VARIABLES } from './environment.ts'
import { cookiesOf } from './upstreams/web-session.ts'

/** Every mistake of a configuration, each with the key to change. Never holds a value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly mistakes: readonly string[]

  constructor(mistakes: readonly string[]) {
    super(
      `The configuration has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}:\n${mistakes.map((line) => `  - ${line}`).join('\n')}`,
    )
    this.mistakes = mistakes
  }
}

export interface ConfigSources {
  /** The environment; wins over `.env`, which wins over the file. */
  env: Record<string, string | undefined>
  /** Folder of `.env` and `castor.config.json`. */
  cwd: string
}

/**
 * Checks a configuration that is already a value.
 *
 * @throws {ConfigError} listing every mistake with its key.
 */
export function parseConfig(value: unknown): Config {
  return checkTree(value, new Map(), [])
}

type Tree = { [key: string]: unknown }

/**
 * Reads `castor.config.json` (or the file in `CASTOR_CONFIG`), `.env` and the environment into one checked
 * configuration. An empty variable counts as not set.
 *
 * @throws {ConfigError} listing every mistake with its key.
 */
export function readConfig({ env, cwd }: ConfigSources): Config {
  const mistakes: string[] = []
  const dotenv = readDotenv(resolve(cwd, '.env'), mistakes)
  const variables = { ...dotenv, ...dropEmpty(env) }
  const tree = readFile(cwd, variables['CASTOR_CONFIG'], mistakes)
  const names = applyVariables(tree, variables, mistakes)
  return checkTree(tree, names, mistakes)
}

function checkTree(tree: unknown, names: Map<string, string>, mistakes: string[]): Config {
  const result = v.safeParse(ConfigSchema, tree)
  if (!result.success) mistakes.push(...result.issues.map((issue) => describeIssue(issue, names)))
  if (result.success && mistakes.length === 0) {
    mistakes.push(...contradictions(result.output))
    if (mistakes.length === 0) return result.output
  }
  throw new ConfigError(mistakes)
}

function dropEmpty(env: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, value]])),
  )
}

function readDotenv(path: string, mistakes: string[]): Record<string, string> {
  const text = readIfThere(path, mistakes)
  return text === undefined ? {} : dropEmpty(parseEnv(text))
}

function readFile(cwd: string, named: string | undefined, mistakes: string[]): Tree {
  const path = resolve(cwd, named ?? 'castor.config.json')
  const text = readIfThere(path, mistakes)
  if (text === undefined) {
    if (named !== undefined) mistakes.push(`CASTOR_CONFIG: there is no file at ${path}`)
    return {}
  }
  try {
    const tree: unknown = JSON.parse(text)
    if (typeof tree === 'object' && tree !== null && !Array.isArray(tree)) return tree as Tree
    mistakes.push(`${path}: must hold a JSON object`)
  } catch {
    mistakes.push(`${path}: is not valid JSON`)
  }
  return {}
}

function readIfThere(path: string, mistakes: string[]): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code !== 'ENOENT') mistakes.push(`${path}: cannot be read (${String(code)})`)
    return undefined
  }
}

/** Writes the variables into the tree; returns which variable stands behind a path. */
function applyVariables(tree: Tree, variables: Record<string, string>, mistakes: string[]): Map<string, string> {
  const names = new Map<string, string>()
  const account: Tree = {}
  for (const [name, { path, read }] of Object.entries(VARIABLES)) {
    const value = variables[name]
    if (value === undefined) continue
    try {
      const [first, , third = ''] = path
      if (first === 'accounts') account[third] = read(value)
      else write(tree, path, read(value))
      names.set(first === 'accounts' ? `accounts.${third}` : path.join('.'), name)
    } catch (error) {
      mistakes.push(`${name}: ${error instanceof Error ? error.message : 'is not readable'}`)
    }
  }
  if (Object.keys(account).length > 0) {
    const listed = Array.isArray(tree['accounts']) ? (tree['accounts'] as unknown[]) : []
    tree['accounts'] = [{ label: 'default', ...account }, ...listed]
  }
  return names
}

function write(tree: Tree, path: readonly string[], value: unknown): void {
  let node = tree
  for (const key of path.slice(0, -1)) {
    const next = node[key]
    node = (typeof next === 'object' && next !== null ? next : (node[key] = {})) as Tree
  }
  node[path.at(-1) ?? ''] = value
}

function describeIssue(issue: v.BaseIssue<unknown>, names: Map<string, string>): string {
  const keys = (issue.path ?? []).map(({ key }) => String(key))
  const path = keys.join('.')
  const variable = names.get(path) ?? (keys[0] === 'accounts' ? names.get(`accounts.${keys[2]}`) : undefined)
  const where = variable ?? names.get(keys[0] ?? '') ?? path
  if (issue.type === 'strict_object' && issue.expected === 'never') return `${path}: is not a setting of Castor`
  if (!issue.message.startsWith('Invalid')) return `${where}: ${issue.message}`
  return `${where}: must be ${issue.expected ?? 'valid'}`
}

/** Rules that hold between settings. */
function contradictions(config: Config): string[] {
  const found: string[] = []
  const labels = new Set<string>()
  for (const account of config.accounts) {
    const { label, cookies, secure1psid } = account
    if (labels.has(label)) found.push(`accounts: the label "${label}" is used twice`)
    labels.add(label)
    if (cookies === undefined && secure1psid === undefined) {
      found.push(`accounts: "${label}" has no cookies; set SECURE_1PSID (and SECURE_1PSIDTS), or \`cookies\``)
    }
    try {
      cookiesOf(account)
    } catch (error) {
      found.push(`accounts: the cookies of "${label}": ${error instanceof Error ? error.message : 'cannot be read'}`)
    }
  }
  const ids = config.apiKeys.map(({ id }) => id)
  if (new Set(ids).size !== ids.length) found.push('apiKeys: two keys have the same id')
  for (const [name, members] of [
    ['geminiApi.keys', config.geminiApi.keys],
    ['codeAssist.accounts', config.codeAssist.accounts],
  ] as const) {
    if (new Set(members.map((member) => member.label)).size !== members.length)
      found.push(`${name}: a label is used twice`)
  }
  const configured = {
    'gemini-web': true,
    'gemini-api': config.geminiApi.keys.length > 0,
    'code-assist': config.codeAssist.accounts.length > 0,
  }
  const named =
    config.mounts?.flatMap(({ upstreams }) =>
      upstreams.map((route) => (typeof route === 'string' ? route : route.use)),
    ) ?? []
  for (const name of new Set([...named, config.defaultUpstream])) {
    if (!configured[name])
      found.push(
        `mounts: ${name} is used but not configured; set ${name === 'gemini-api' ? 'GEMINI_API_KEY' : 'CODE_ASSIST_CREDENTIALS'}`,
      )
  }
  if (config.mediaStore.kind === 's3' && config.mediaStore.s3 === undefined) {
    found.push('mediaStore.s3: is missing; set S3_ENDPOINT, S3_BUCKET, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY')
  }
  return found
}
