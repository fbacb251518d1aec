import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readMistakes } from '../test/read-mistakes.ts'
import { readConfig } from './config.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'castor-config-'))
})
afterEach(() => rmSync(cwd, { recursive: true }))

const mistakesOf = (env: Record<string, string>) => readMistakes({ env, cwd })

describe('readConfig', () => {
  it('needs nothing: guest mode on port 8100', () => {
    const config = readConfig({ env: {}, cwd })
    expect(config).toMatchObject({
      port: 8100,
      apiKeys: [],
      accounts: [],
      allowAnyone: false,
      geminiWeb: { guest: true },
    })
  })

  it('takes the reference server’s .env as it is, and lets the environment win', () => {
    writeFileSync(
      join(cwd, '.env'),
      'PORT=8100\nAPI_KEY=\nSECURE_1PSID=g.a000x\nSECURE_1PSIDTS="sidts-y"\nSECURE_1PSIDCC=z\n',
    )
    const config = readConfig({ env: { PORT: '9000', API_KEY: 'laptop=12345678,abcdefgh' }, cwd })
    expect(config.port).toBe(9000)
    expect(config.accounts).toEqual([
      { label: 'default', accountIndex: 0, secure1psid: 'g.a000x', secure1psidts: 'sidts-y', secure1psidcc: 'z' },
    ])
    expect(config.apiKeys).toEqual([
      { id: 'laptop', key: '12345678' },
      { id: 'key-2', key: 'abcdefgh' },
    ])
  })

  it('takes no key that would be looked for among those made at run time', () => {
    const [mistake, ...others] = mistakesOf({ API_KEY: 'laptop=sk-castor-my-own-key' })
    expect(mistake).toMatch(/^API_KEY: must not begin with sk-castor-, as the keys made with POST \/api\/keys do/)
    expect(mistake).not.toContain('my-own-key')
    expect(others).toEqual([])
  })

  it('puts the account of the environment before those of the file', () => {
    writeFileSync(
      join(cwd, 'castor.config.json'),
      JSON.stringify({ accounts: [{ label: 'second', cookies: '__Secure-1PSID=g.a0' }], log: { level: 'warn' } }),
    )
    const config = readConfig({ env: { SECURE_1PSID: 'x' }, cwd })
    expect(config.accounts.map(({ label }) => label)).toEqual(['default', 'second'])
    expect(config.log.level).toBe('warn')
  })

  it('reports every mistake at once, each with its key and without its value', () => {
    writeFileSync(
      join(cwd, 'castor.config.json'),
      JSON.stringify({ colour: 'blue', deadlines: { idleMs: -1 }, accounts: [{ label: 'a', proxy: 'hunter2' }] }),
    )
    const mistakes = mistakesOf({ PORT: 'eighty', LOG_LEVEL: 'loud', PUBLIC_BASE_URL: 'here' })
    expect(mistakes).toEqual([
      'PORT: must be a number',
      'PUBLIC_BASE_URL: must be a URL such as http://127.0.0.1:8765',
      expect.stringMatching(/^accounts\.0\.proxy: must look like http:\/\/host:port or socks5:/),
      'deadlines.idleMs: must not be negative',
      expect.stringMatching(/^LOG_LEVEL: must be \("trace" \| /),
      'colour: is not a setting of Castor',
    ])
    expect(mistakes.join()).not.toContain('hunter2')
  })

  it.each([
    [{ SECURE_1PSIDTS: 'x' }, /"default" has no cookies; set SECURE_1PSID/],
    [{ API_KEY: 'a=12345678,a=87654321' }, /^API_KEY: two have the same id/],
    [{ GEMINI_PROXY: 'http://u:hunter2@127.0.0.1:99999' }, /^GEMINI_PROXY: must look like .* a port up to 65535/],
    [
      { WEBHOOK_URL: 'ftp://hunter2@127.0.0.1/x' },
      /^WEBHOOK_URL: must be a URL that begins with http:\/\/ or https:\/\/$/,
    ],
    [{ API_KEY: 'short' }, /^API_KEY: must be at least 8 characters long/],
    [{ CASTOR_CONFIG: 'nowhere.json' }, /CASTOR_CONFIG: there is no file/],
    [
      { LIMIT_PER_HOUR: '0' },
      /^LIMIT_PER_HOUR: must be a whole number of requests from 1 on, or false for no limit; 0/,
    ],
    [{ LIMIT_PER_HOUR: '1.5' }, /^LIMIT_PER_HOUR: must be a whole number/],
    [
      { LIMIT_MODEL_SPACING_MS: '0' },
      /^LIMIT_MODEL_SPACING_MS: must be a number of milliseconds from 1 to 3600000, or false/,
    ],
    [{ LIMIT_MODEL_SPACING_MS: '3600001' }, /^LIMIT_MODEL_SPACING_MS: must be .* to 3600000/],
    [{ GEMINI_GUEST: 'perhaps' }, /GEMINI_GUEST: must be true or false/],
  ])('finds the contradiction in %j', (env, mistake) => {
    expect(mistakesOf(env).join('\n')).toMatch(mistake)
  })

  it('refuses a limit, a pace or a ceiling of zero by name', () => {
    const apiKeys = [{ id: 'a', key: '12345678', limits: { perHour: 0 } }]
    const config = { apiKeys, pacing: { egressPerMinute: 0, perDay: 0 } }
    writeFileSync(join(cwd, 'castor.config.json'), JSON.stringify(config))
    expect(mistakesOf({})).toEqual([
      'apiKeys.0.limits.perHour: must be a whole number of requests from 1 on, or false for no limit; 0 would let nothing pass',
      'pacing.egressPerMinute: must be a number from 1 on, or false for no limit; 0 would let nothing pass',
      'pacing.perDay: must be a number from 1 on, or false for no limit; 0 would let nothing pass',
    ])
  })

  it('wants whole numbers where halves mean nothing', () => {
    const accounts = [{ label: 'a', secure1psid: 'g.a000', accountIndex: 0.5, maxConcurrent: 1.5 }]
    const config = { accounts, geminiWeb: { maxConcurrent: 2.5 }, media: { threads: 1.5 }, usageDays: 0.5 }
    writeFileSync(join(cwd, 'castor.config.json'), JSON.stringify(config))
    expect(mistakesOf({}).toSorted()).toEqual([
      'accounts.0.accountIndex: must be a whole number',
      'accounts.0.maxConcurrent: must be a whole number',
      'geminiWeb.maxConcurrent: must be a whole number',
      'media.threads: must be a whole number',
      'usageDays: must be >=1',
      'usageDays: must be a whole number',
    ])
  })

  it('says which file is not JSON', () => {
    writeFileSync(join(cwd, 'castor.config.json'), '{ port: 1 }')
    expect(mistakesOf({})).toEqual([`${join(cwd, 'castor.config.json')}: is not valid JSON`])
  })
})
