import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readConfig } from '../src/config.ts'
import { bundleCli, startCli, type Cli } from './cli-process.ts'
import { readMistakes } from './read-mistakes.ts'

// Every variable of the README's table with a value that is wrong: no start, and the variable is named.

const SETPRIV = '/usr/bin/setpriv'
/** Stands in what must not be repeated. */
const SECRET = 'hunter2hunter2'
const S3 = {
  S3_ENDPOINT: 'http://127.0.0.1:1',
  S3_BUCKET: 'pictures',
  S3_ACCESS_KEY_ID: 'a',
  S3_SECRET_ACCESS_KEY: 'b',
}

/** Seen when the configuration is read. */
const WRONG: [variable: string, value: string, others?: Record<string, string>][] = [
  ...['eighty', '70000', '-1', '81.5', ' '].map((value): [string, string] => ['PORT', value]),
  ['API_KEY', 'short'],
  ['API_KEY', ','],
  ['API_KEY', `a=${SECRET},a=${SECRET}2`],
  ['ADMIN_KEY', 'short'],
  ['ALLOW_ANYONE', `maybe ${SECRET}`],
  ['SECURE_1PSID', `__Secure-1PSID=g.a000${SECRET}`],
  ['SECURE_1PSID', `"g.a000${SECRET}"`],
  ['SECURE_1PSIDTS', `sidts ${SECRET}`, { SECURE_1PSID: 'g.a000' }],
  ['SECURE_1PSIDTS', SECRET],
  ['SECURE_1PSIDCC', SECRET],
  ['GEMINI_COOKIES', SECRET],
  ['GEMINI_COOKIES', `NID=${SECRET}`],
  ['GEMINI_ACCOUNT_INDEX', 'first', { SECURE_1PSID: 'g.a000' }],
  ['GEMINI_ACCOUNT_INDEX', '-1', { SECURE_1PSID: 'g.a000' }],
  ['GEMINI_ACCOUNT_INDEX', '1'],
  ['GEMINI_PROXY', `ftp://user:${SECRET}@host:1`],
  ['EGRESS_NAME', `http://user:${SECRET}@host`],
  ['GEMINI_GUEST', 'perhaps'],
  ['GEMINI_API_KEY', ','],
  ['GEMINI_API_KEY', `a=${SECRET},a=${SECRET}2`],
  ['GEMINI_API_KEY', `AIza${SECRET}é`],
  ['CODE_ASSIST_CLIENT_ID', SECRET],
  ['CODE_ASSIST_CLIENT_SECRET', SECRET],
  ['LIMIT_PER_HOUR', '0'],
  ['LIMIT_PER_HOUR', 'many'],
  ['LIMIT_MODEL_SPACING_MS', '0'],
  ['REMOVE_WATERMARK', 'some'],
  ['MEDIA_STORE', 'disk'],
  ['MEDIA_STORE', 's3'],
  ['S3_ENDPOINT', `nourl${SECRET}`, { ...S3, MEDIA_STORE: 's3' }],
  ['S3_ENDPOINT', 'ftp://127.0.0.1', { ...S3, MEDIA_STORE: 's3' }],
  ['S3_BUCKET', 'b', { ...S3, MEDIA_STORE: 's3' }],
  // What is not there is named too.
  ...Object.keys(S3).map((name): [string, string, Record<string, string>] => [name, '', { ...S3, S3_REGION: 'auto' }]),
  ['PUBLIC_BASE_URL', `nourl${SECRET}`],
  ['PUBLIC_BASE_URL', 'javascript:alert(1)'],
  ...[
    `http://:${SECRET}@127.0.0.1:1`,
    `redis://:${SECRET}%@127.0.0.1:1`,
    `redis://:${SECRET}@127.0.0.1:99999`,
    `redis://:${SECRET}@127.0.0.1:1/zero`,
    `redis://${SECRET}@`,
  ].map((value): [string, string] => ['REDIS_URL', value]),
  ['STATE_KEY', ','],
  ['CORS_ORIGINS', 'chat.example.com'],
  ['CORS_ORIGINS', 'https://chat.example.com/'],
  ['STRICT_MODEL', 'x'],
  ['ALLOW_PRIVATE_HOSTS', '10.0.0.0/99'],
  ['ALLOW_PRIVATE_HOSTS', '10.0.0.0/8,///:::'],
  ['MAX_BODY_BYTES', '-1'],
  ['MAX_BODY_BYTES', '100MB'],
  ['MAX_BODY_BYTES', '1e400'],
  ['LOG_LEVEL', 'loud'],
  ['LOG_FORMAT', 'xml'],
  ['DEFAULT_UPSTREAM', 'gemini'],
  ['DEFAULT_UPSTREAM', 'gemini-api'],
  ['WEBHOOK_URL', `nourl${SECRET}`],
  ['CASTOR_CONFIG', '/no/such/file'],
]

/** Seen only when it starts. */
const WRONG_AT_START: [variable: string, value: string][] = [
  ['HOST', '192.0.2.1'],
  ['GEMINI_GUEST', 'false'],
  ['CODE_ASSIST_CREDENTIALS', `/no/such/${SECRET}`],
  ['CODE_ASSIST_CREDENTIALS', JSON.stringify({ refresh_token: SECRET })],
  ['CODE_ASSIST_CREDENTIALS', 'package.json'],
  ['DATA_DIR', 'package.json'],
  ['STATE_KEY', SECRET],
  ['STATE_KEY', `one:${SECRET}`],
]

/** There is no value that could be told to be wrong. */
const ANYTHING = ['S3_REGION']

let cli: Cli
let cwd: string
beforeAll(async () => {
  cli = await bundleCli()
})
afterAll(() => cli.remove())
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'castor-start-up-'))
  writeFileSync(join(cwd, 'package.json'), '{}')
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

const mistakesOf = (env: Record<string, string>) => readMistakes({ env, cwd })

describe('a variable that is wrong', () => {
  it.each(WRONG)('%s=%j is named and not repeated', (variable, value, others = {}) => {
    const mistakes = mistakesOf({ ...others, [variable]: value })
    expect(mistakes).toEqual([expect.stringMatching(new RegExp(`^${variable}\\b[^\\n]*: [^\\n]+$`))])
    expect(mistakes.join()).not.toContain(SECRET)
  })

  it.each(WRONG_AT_START)('%s=%j ends the start, though the log is silent', async (variable, value) => {
    const env = { PORT: '0', LOG_LEVEL: 'silent', [variable]: value }
    const { code, text } = await startCli(cli, ['serve'], cwd, env).ended
    expect([1, 2]).toContain(code)
    expect(text).toContain(variable)
    expect(text).not.toMatch(new RegExp(`${SECRET}| {4}at `))
  })

  // Root may listen anywhere, unless it gives that right up.
  const asNobody = process.getuid?.() === 0 ? [SETPRIV, '--bounding-set=-net_bind_service'] : []
  const isReserved =
    process.platform === 'linux' && Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8')) > 80
  const canDrop = asNobody.length === 0 || existsSync(SETPRIV)
  it.skipIf(!isReserved || !canDrop)('PORT=80 without the right to it is named', () => {
    const [command, ...args] = [...asNobody, process.execPath, cli.script, 'serve']
    const env = { PATH: process.env['PATH'], HOST: '127.0.0.1', PORT: '80', LOG_LEVEL: 'silent' }
    const { status, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8' })
    const line = '  - PORT: this user may not listen on port 80; take one from 1024 on'
    expect([status, stderr]).toEqual([2, `The configuration has a mistake:\n${line}\n`])
  })

  it('is tested for the whole table of the README', () => {
    const readme = readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8')
    const table = /\n## Configuration\n(.*?)\n## /s.exec(readme)?.[1] ?? ''
    const rows = [...table.matchAll(/^\| (`[^|]*) \|/gm)].map(([, names = '']) => names)
    const names = rows.flatMap((row) => [...row.matchAll(/`([A-Z0-9_]+)`/g)].map(([, name = '']) => name))
    const tested = new Set([...WRONG, ...WRONG_AT_START].map(([name]) => name).concat(ANYTHING))
    expect(names.length).toBeGreaterThan(30)
    expect(names.filter((name) => !tested.has(name))).toEqual([])
  })
})

describe('.env and castor.config.json', () => {
  const marked = (text: string, encoding: 'utf8' | 'utf16le') => Buffer.from(`\ufeff${text}`, encoding)
  const DOTENV = 'PORT=8123\r\nHOST=127.0.0.1\r\n'

  it.each([
    ['UTF-8', Buffer.from(DOTENV)],
    ['UTF-8 with a mark', marked(DOTENV, 'utf8')],
    ['UTF-16, as PowerShell writes it', marked(DOTENV, 'utf16le')],
    ['UTF-16 the other way round', marked(DOTENV, 'utf16le').swap16()],
  ])('are read in %s', (_, bytes) => {
    writeFileSync(join(cwd, '.env'), bytes)
    expect(readConfig({ env: {}, cwd })).toMatchObject({ port: 8123, host: '127.0.0.1' })
  })

  it.each([
    ['UTF-16 without a mark', Buffer.from(DOTENV, 'utf16le')],
    ['Latin-1', Buffer.from('API_KEY=Schlüsselchen', 'latin1')],
  ])('are not guessed at in %s', (_, bytes) => {
    writeFileSync(join(cwd, '.env'), bytes)
    expect(mistakesOf({})).toEqual([`${join(cwd, '.env')}: must be text in UTF-8, or in UTF-16 with a byte order mark`])
  })

  it('may begin with a mark, the second one too', () => {
    writeFileSync(join(cwd, 'castor.config.json'), marked('{"port":8124}', 'utf8'))
    expect(readConfig({ env: {}, cwd }).port).toBe(8124)
  })

  it.each(['a\nb', 'a\u001b[2J', 'a\u007f', 'a\u0085', 'a\u2028b', '\u202eada'])('refuse the label %j', (label) => {
    const keys = [{ label, key: 'AIza' }]
    const accounts = [{ label, credentialsFile: 'x' }]
    const file = {
      accounts: [{ label, cookies: '__Secure-1PSID=g.a0' }],
      geminiApi: { keys },
      codeAssist: { accounts },
    }
    writeFileSync(join(cwd, 'castor.config.json'), JSON.stringify(file))
    const what = 'must not hold control characters, line breaks or marks that turn the direction of text'
    expect(mistakesOf({})).toEqual(
      ['accounts.0.label', 'geminiApi.keys.0.label', 'codeAssist.accounts.0.label'].map((path) => `${path}: ${what}`),
    )
  })

  it('take a label of any language', () => {
    const accounts = [{ label: 'グレース — 2 #1', cookies: '__Secure-1PSID=g.a0' }]
    writeFileSync(join(cwd, 'castor.config.json'), JSON.stringify({ accounts }))
    expect(mistakesOf({})).toEqual([])
  })

  it('are told what is missing, by its key and its variable', () => {
    const mediaStore = { kind: 's3', s3: { endpoint: 'http://127.0.0.1:1', accessKeyId: 'a', secretAccessKey: 'b' } }
    writeFileSync(join(cwd, 'castor.config.json'), JSON.stringify({ mediaStore, accounts: [{}], mounts: [{}] }))
    expect(mistakesOf({})).toEqual([
      'accounts.0.label: is missing',
      'S3_BUCKET (`mediaStore.s3.bucket`): is missing',
      'mounts.0.path: is missing',
      'mounts.0.upstreams: is missing',
    ])
  })
})
