import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ExportedCookie } from './cookie.ts'
import { isCookieImportError } from './error.ts'
import { readImport, readJsonImport } from './read-import.ts'

const LAST_DATE_MS = 8.64e15

/** What is wrong with what came of it: it is cookies that can be sent and end on a date, or our own error, fit for a terminal. */
function faultsOf(read: () => { cookies: ExportedCookie[]; names: string[]; advice: string[] }): string[] {
  const said: string[] = []
  const faults: string[] = []
  try {
    const { cookies, names, advice } = read()
    said.push(...names, ...advice)
    for (const { name, value, expiresMs = 0 } of cookies) {
      if (!/^[\t -:<-~]+$/.test(`${name}=${value}`)) faults.push('a cookie that cannot be sent')
      if (!(Math.abs(expiresMs) <= LAST_DATE_MS)) faults.push('an end that is no date')
    }
  } catch (error) {
    if (isCookieImportError(error)) said.push(error.message)
    else faults.push(String(error))
  }
  if (/\p{Cc}/u.test(said.join(''))) faults.push('a control character in words')
  return faults
}

const time = fc.oneof(fc.double(), fc.constantFrom(1e300, 13_370_000_000_000_000, -1, 0, Number.NaN, 1.9e9))
const word = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '__Secure-1PSID',
    '__Secure-1PSIDTS',
    'g.a000x',
    '__proto__',
    '.google.com',
    'x@.google.com',
    '/',
    '',
  ),
)
const cookie = fc.record(
  {
    name: word,
    value: word,
    domain: word,
    path: word,
    expirationDate: time,
    expires: fc.oneof(time, word),
    hostOnly: fc.oneof(fc.boolean(), word),
  },
  { requiredKeys: ['name', 'value'] },
)
const har = fc.record({
  log: fc.record({
    entries: fc.array(
      fc.record({
        startedDateTime: word,
        request: fc.record({
          url: fc.oneof(word, fc.constant('https://gemini.google.com/u/1/app')),
          headers: fc.array(fc.record({ name: fc.constantFrom('Cookie', 'X-Goog-AuthUser'), value: word })),
          cookies: fc.array(cookie),
        }),
        response: fc.oneof(fc.record({ cookies: fc.array(cookie) }), fc.anything()),
      }),
    ),
  }),
})

describe('whatever somebody gives is cookies, or an error that says what to give', () => {
  const beginnings = [
    '',
    'curl ',
    "curl 'https://gemini.google.com/' -b ",
    '$session = ',
    'fetch("',
    '# HTTP Cookie File\n',
  ]
  it.each(beginnings)('text that begins with %j', (beginning) => {
    fc.assert(
      fc.property(fc.array(word), fc.constantFrom('\t', '; ', '\n', '="', "'"), (words, glue) => {
        expect(faultsOf(() => readImport(beginning + words.join(glue)))).toEqual([])
      }),
    )
  })

  it('rows of a cookies.txt', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(word, time, word, word)), (rows) => {
        const lines = rows.map(([domain, end, name, value]) =>
          [domain, 'TRUE', '/', 'TRUE', String(end), name, value].join('\t'),
        )
        expect(faultsOf(() => readImport(['# Netscape HTTP Cookie File', ...lines].join('\n')))).toEqual([])
      }),
    )
  })

  it('JSON of any shape', () => {
    const anything = fc.anything({ values: [word, time] })
    const shapes = fc.oneof(fc.array(cookie), fc.record({ cookies: fc.array(cookie) }), fc.dictionary(word, word), har)
    fc.assert(
      fc.property(fc.oneof(shapes, anything), (value) => {
        expect(faultsOf(() => readJsonImport(value))).toEqual([])
      }),
    )
  })

  it.each<[string, string]>([
    ['very many cookies', 'a=b;'.repeat(200_000)],
    ['a cURL with a large body', `curl 'https://gemini.google.com/' --data-raw $'${'\\u0021x'.repeat(200_000)}'`],
    ['the same for cmd', `curl ^"https://gemini.google.com/^" --data-raw ^"${'^%x'.repeat(200_000)}^"`],
    ['"Copy as PowerShell" with a large body', `$session = 1\n-Body "${'`"x'.repeat(200_000)}"`],
    ['the same, cut', `$session = 1\n-Body "${'`"x'.repeat(200_000)}`],
    ['"Copy as fetch" with a large body', `fetch("https://gemini.google.com/", {"body": "${'\\"x'.repeat(200_000)}"})`],
    ['a cURL for cmd, cut', `curl ^"https://gemini.google.com/^" --data-raw ^"${'\\^"x'.repeat(200_000)}`],
    ['a cURL for bash, cut', `curl 'https://gemini.google.com/' --data-raw "${'\\"x'.repeat(200_000)}`],
    ['JSON of great depth', `${'{"cookies":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    ['lists of great depth', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ])('%s', (_, text) => {
    expect(faultsOf(() => readImport(text))).toEqual([])
  })
})
