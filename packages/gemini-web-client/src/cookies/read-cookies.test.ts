import { describe, expect, it } from 'vitest'
import { readCookies } from './read-cookies.ts'

const PAIR = [
  { name: '__Secure-1PSID', value: 'g.a000x' },
  { name: '__Secure-1PSIDTS', value: 'sidts-y' },
]

describe('readCookies', () => {
  it.each([
    ['a header', '__Secure-1PSID=g.a000x; __Secure-1PSIDTS=sidts-y'],
    ['a header with its name', 'Cookie: __Secure-1PSID=g.a000x; __Secure-1PSIDTS=sidts-y;'],
    ['a header over two lines with quotes', '__Secure-1PSID="g.a000x"\n__Secure-1PSIDTS="sidts-y"'],
    ['an object of names and values', '{"__Secure-1PSID":"g.a000x","__Secure-1PSIDTS":"sidts-y"}'],
    ['a pair', { secure1psid: ' g.a000x', secure1psidts: '__Secure-1PSIDTS=sidts-y;' }],
  ])('reads %s', (_, input) => {
    expect(readCookies(input)).toEqual(PAIR)
  })

  it('keeps an equals sign inside a value', () => {
    expect(readCookies('__Secure-1PSID=g.a=b==')).toEqual([{ name: '__Secure-1PSID', value: 'g.a=b==' }])
  })

  it('reads a Netscape file with its #HttpOnly_ lines', () => {
    const file = [
      '# Netscape HTTP Cookie File',
      '',
      '#HttpOnly_.google.com\tTRUE\t/\tTRUE\t1900000000\t__Secure-1PSID\tg.a000x',
      'gemini.google.com\tFALSE\t/\tTRUE\t0\tCOMPASS\tbard',
    ].join('\r\n')
    expect(readCookies(file)).toEqual([
      {
        name: '__Secure-1PSID',
        value: 'g.a000x',
        domain: '.google.com',
        path: '/',
        hostOnly: false,
        expiresMs: 1_900_000_000_000,
      },
      { name: 'COMPASS', value: 'bard', domain: 'gemini.google.com', path: '/', hostOnly: true },
    ])
  })

  it('reads the export of a browser extension and of Playwright', () => {
    const cookie = { name: '__Secure-1PSID', value: 'g.a000x', domain: '.google.com', path: '/' }
    const expected = [{ ...cookie, expiresMs: 1_900_000_000_000 }]
    expect(readCookies(JSON.stringify([{ ...cookie, expirationDate: 1_900_000_000, storeId: '0' }]))).toEqual(expected)
    expect(readCookies(JSON.stringify({ cookies: [{ ...cookie, expires: 1_900_000_000 }], origins: [] }))).toEqual(
      expected,
    )
  })

  it('takes an end that is no date for none', () => {
    const ends = [1e300, 13_370_000_000_000_000].map((end) => [
      JSON.stringify([{ name: '__Secure-1PSID', value: 'g.a000x', expirationDate: end }]),
      `# Netscape HTTP Cookie File\n.google.com\tTRUE\t/\tTRUE\t${end}\t__Secure-1PSID\tg.a000x`,
    ])
    for (const text of ends.flat()) expect(readCookies(text)[0]).not.toHaveProperty('expiresMs')
  })

  it.each([
    ['nothing', '', 'could not be read'],
    ['words', 'please log me in', 'could not be read'],
    ['broken JSON', '[{"name":', 'not valid JSON'],
    ['cookies of another site', 'session=abc; theme=dark', 'hold no session'],
    ['a session with a line end', [{ name: '__Secure-1PSID', value: 'g.a\r\nx: y' }], 'characters that no cookie has'],
    ['an empty session', { secure1psid: '' }, 'could not be read'],
  ])('refuses %s and says what to give', (_, input, reason) => {
    expect(() => readCookies(input)).toThrow(reason)
    expect(() => readCookies(input)).toThrow(expect.objectContaining({ code: 'invalid_cookies', field: 'cookies' }))
  })

  it('never quotes what it was given', () => {
    expect(() => readCookies('secret=hunter2')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') as string }),
    )
  })
})
