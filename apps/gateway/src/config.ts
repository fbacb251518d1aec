import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import * as v from 'valibot'
import { ConfigSchema, type Config } from './config-schema.ts'
import { contradictions } from './contradictions.ts'
import { decodeText } from './decode-text.ts'
import { VARIABLES } from './environment.ts'

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
  const variables = readVariables({ env, cwd }, mistakes)
  const tree = readFile(cwd, variables['CASTOR_CONFIG'], mistakes)
  const names = applyVariables(tree, variables, mistakes)
  return checkTree(tree, names, mistakes)
}

/** Every variable of `.env` and of the environment, which wins. An empty one counts as not set. */
export function readVariables({ env, cwd }: ConfigSources, mistakes: string[] = []): Record<string, string> {
  return { ...readDotenv(resolve(cwd, '.env'), mistakes), ...dropEmpty(env) }
}

/** @param names Which variable stands behind a place in the tree. */
function checkTree(tree: unknown, names: Map<string, string>, mistakes: string[]): Config {
  const result = v.safeParse(ConfigSchema, tree)
  if (!result.success) mistakes.push(...result.issues.map((issue) => describeIssue(issue, names)))
  if (result.success && mistakes.length === 0) {
    mistakes.push(...contradictions(result.output, names))
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
  const before = mistakes.length
  const text = readIfThere(path, mistakes)
  if (text === undefined) {
    if (named !== undefined && mistakes.length === before) mistakes.push(`CASTOR_CONFIG: there is no file at ${path}`)
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
    return decodeText(readFileSync(path))
  } catch (error) {
    if (error instanceof TypeError) {
      mistakes.push(`${path}: must be text in UTF-8, or in UTF-16 with a byte order mark`)
      return undefined
    }
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
  const where = variableOf(keys, names) ?? path
  if (issue.type !== 'strict_object') {
    return `${where}: ${issue.message.startsWith('Invalid') ? `must be ${issue.expected ?? 'valid'}` : issue.message}`
  }
  if (issue.expected === 'never') return `${path}: is not a setting of Castor`
  if (issue.received !== 'undefined') return `${where}: must be an object`
  const [variable] = Object.entries(VARIABLES).find(([, entry]) => entry.path.join('.') === path) ?? []
  return variable === undefined ? `${path}: is missing` : `${variable} (\`${path}\`): is missing`
}

/** The variable behind a place, or behind what that is a part of. The account of the environment comes first. */
function variableOf(keys: readonly string[], names: Map<string, string>): string | undefined {
  if (keys[0] === 'accounts') return keys[1] === '0' ? names.get(`accounts.${keys[2]}`) : undefined
  for (let end = keys.length; end > 0; end--) {
    const name = names.get(keys.slice(0, end).join('.'))
    if (name !== undefined) return name
  }
  return undefined
}
