import { describe, expect, it } from 'vitest'
import { readImport } from './read-import.ts'

const SESSION = { name: '__Secure-1PSID', value: 'g.a000x-y_z' }
const TICKET = { name: '__Secure-1PSIDTS', value: 'sidts-CjEB=' }
const PAIR = [SESSION, TICKET]
const HEADER = 'NID=525=ab|c!d; __Secure-1PSID=g.a000x-y_z; __Secure-1PSIDTS=sidts-CjEB='

/** As Chrome 14x on Linux writes it: the cookie with a `!` goes into `$'…'`. */
const CURL_BASH = `curl 'https://gemini.google.com/u/2/_/BardChatUi/data/batchexecute?rpcids=otAQ7b' \\
  -H 'accept: */*' \\
  -H 'accept-language: en-GB,en;q=0.9' \\
  -H 'content-type: application/x-www-form-urlencoded;charset=UTF-8' \\
  -b $'NID=525=ab|c\\u0021d; __Secure-1PSID=g.a000x-y_z; __Secure-1PSIDTS=sidts-CjEB=' \\
  -H 'user-agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/146' \\
  --data-raw $'f.req=%5B%5B%5D%5D&at=A-b%3A1\\u0021'`

/** As Firefox writes it. */
const CURL_FIREFOX = `curl 'https://gemini.google.com/app' --compressed -H 'User-Agent: Mozilla/5.0 (X11; rv:145.0) Firefox/145.0' -H 'Accept: text/html' -H 'Cookie: __Secure-1PSID=g.a000x-y_z; __Secure-1PSIDTS=sidts-CjEB=' -H 'X-Goog-AuthUser: 1'`

/** As Chrome on Windows writes it for cmd. */
const CURL_CMD = [
  'curl ^"https://gemini.google.com/app?hl=en^&pli=1^" ^',
  '  -H ^"accept: text/html,application/xhtml+xml^" ^',
  '  -b ^"NID=525=ab^|c^!d; __Secure-1PSID=g.a000x-y_z; __Secure-1PSIDTS=sidts-CjEB=^" ^',
  '  -H ^"sec-ch-ua: ^\\^"Chromium^\\^";v=^\\^"146^\\^"^"',
].join('\r\n')

const NETSCAPE = [
  '# Netscape HTTP Cookie File',
  '# https://curl.haxx.se/rfc/cookie_spec.html',
  '',
  '#HttpOnly_.google.com\tTRUE\t/\tTRUE\t1900000000\t__Secure-1PSID\tg.a000x-y_z',
  '#HttpOnly_.google.com\tTRUE\t/\tTRUE\t1900000000.25\t__Secure-1PSIDTS\tsidts-CjEB=',
  'gemini.google.com\tFALSE\t/\tTRUE\t0\tCOMPASS\tbard=1',
  '.example.com\tTRUE\t/\tFALSE\t0\tother\tsecret',
  '',
].join('\r\n')

/** EditThisCookie and Cookie-Editor. */
const EXTENSION = PAIR.map((cookie, index) => ({
  domain: '.google.com',
  expirationDate: 1_900_000_000.123,
  hostOnly: false,
  httpOnly: true,
  path: '/',
  sameSite: 'unspecified',
  secure: true,
  session: false,
  storeId: '0',
  id: index + 1,
  ...cookie,
}))

const PLAYWRIGHT = {
  cookies: PAIR.map((cookie) => ({
    ...cookie,
    domain: '.google.com',
    path: '/',
    expires: 1_900_000_000.5,
    httpOnly: true,
    secure: true,
    sameSite: 'None',
  })),
  origins: [{ origin: 'https://gemini.google.com', localStorage: [{ name: 'a', value: 'b' }] }],
}

const PUPPETEER = PAIR.map((cookie) => ({
  ...cookie,
  domain: '.google.com',
  path: '/',
  expires: -1,
  size: 20,
  httpOnly: true,
  secure: true,
  session: true,
  priority: 'High',
  sameParty: false,
  sourceScheme: 'Secure',
}))

const entry = (at: string, sent: string, set: object[] = [], url = 'https://gemini.google.com/u/1/app') => ({
  startedDateTime: at,
  request: {
    method: 'GET',
    url,
    headers: [
      { name: ':authority', value: 'gemini.google.com' },
      { name: 'Cookie', value: sent },
    ],
    cookies: [],
  },
  response: { status: 200, headers: [], cookies: set },
})
const HAR = {
  log: {
    version: '1.2',
    creator: { name: 'WebInspector', version: '537.36' },
    entries: [
      entry('2026-11-20T10:00:05.000Z', '__Secure-1PSID=g.a000x-y_z; __Secure-1PSIDTS=sidts-old', [
        {
          ...TICKET,
          path: '/',
          domain: '.google.com',
          expires: '2027-11-20T10:00:05.000Z',
          httpOnly: true,
          secure: true,
        },
      ]),
      entry('2026-11-20T10:00:01.000Z', '__Secure-1PSID=g.a000x-y_z; __Secure-1PSIDTS=sidts-older'),
      entry('2026-11-20T10:00:09.000Z', 'theme=dark', [], 'https://example.com/'),
    ],
  },
}

const values = (text: string) =>
  readImport(text)
    .cookies.filter(({ name }) => name.startsWith('__Secure-1'))
    .map(({ name, value }) => ({ name, value }))

describe('readImport', () => {
  it.each<[string, string, string]>([
    ['the pair', '__Secure-1PSID=g.a000x-y_z; __Secure-1PSIDTS=sidts-CjEB=', 'header'],
    ['a whole Cookie header with its name', `Cookie: ${HEADER}`, 'header'],
    ['"Copy as cURL" of Chrome for bash', CURL_BASH, 'curl'],
    ['"Copy as cURL" of Firefox', CURL_FIREFOX, 'curl'],
    ['"Copy as cURL" of Chrome for cmd', CURL_CMD, 'curl'],
    ['cookies.txt', NETSCAPE, 'cookies.txt'],
    ['cookies.txt with a byte order mark', `\uFEFF${NETSCAPE}`, 'cookies.txt'],
    ['EditThisCookie and Cookie-Editor', JSON.stringify(EXTENSION, undefined, 4), 'json'],
    ['Playwright’s storage state', JSON.stringify(PLAYWRIGHT), 'json'],
    ['Puppeteer', JSON.stringify(PUPPETEER), 'json'],
    ['HAR', JSON.stringify(HAR), 'har'],
    [
      'the fields of the reference servers',
      '{"SECURE_1PSID":"g.a000x-y_z","SECURE_1PSIDTS":"\\"sidts-CjEB=\\""}',
      'json',
    ],
    [
      'fields in another spelling',
      '{"secure1psid":"__Secure-1PSID=g.a000x-y_z;","secure1psidts":"sidts-CjEB="}',
      'json',
    ],
  ])('reads %s', (_, text, form) => {
    expect(values(text)).toEqual(PAIR)
    expect(readImport(text).form).toBe(form)
  })

  it('keeps where each cookie belongs and when it ends', () => {
    expect(readImport(NETSCAPE)).toEqual({
      form: 'cookies.txt',
      cookies: [
        { ...SESSION, domain: '.google.com', path: '/', hostOnly: false, expiresMs: 1_900_000_000_000 },
        { ...TICKET, domain: '.google.com', path: '/', hostOnly: false, expiresMs: 1_900_000_000_250 },
        { name: 'COMPASS', value: 'bard=1', domain: 'gemini.google.com', path: '/', hostOnly: true },
      ],
      names: ['COMPASS', '__Secure-1PSID', '__Secure-1PSIDTS'],
      accountIndex: undefined,
      deviceBound: false,
      sessionEndsMs: 1_900_000_000_000,
      advice: [],
    })
  })

  it('reads escapes of both shells to the letter', () => {
    const nid = (text: string) => readImport(text).cookies.find(({ name }) => name === 'NID')?.value
    expect([nid(CURL_BASH), nid(CURL_CMD)]).toEqual(['525=ab|c!d', '525=ab|c!d'])
  })

  it('tells which of several accounts was in use', () => {
    expect(
      [CURL_BASH, CURL_FIREFOX, CURL_CMD, JSON.stringify(HAR)].map((text) => readImport(text).accountIndex),
    ).toEqual([2, 1, undefined, 1])
  })

  it('says that a session is bound to a device, and what to do instead', () => {
    const found = readImport(`${HEADER}; __Secure-1PSIDRTS=sidrts-a`)
    expect(found.deviceBound).toBe(true)
    expect(found.advice).toEqual([expect.stringMatching(/dies within an hour or two.*Firefox.*private window/)])
  })

  it('says what is missing or looks wrong without being fatal', () => {
    expect(readImport('__Secure-1PSID=abc').advice).toEqual([
      expect.stringMatching(/__Secure-1PSIDTS is missing/),
      expect.stringMatching(/does not look like Google/),
    ])
    const ended = { ...SESSION, domain: '.google.com', expirationDate: 1_600_000_000 }
    expect(readImport(JSON.stringify([ended, TICKET])).advice).toEqual([expect.stringMatching(/ended on 2020-09-13/)])
  })

  it.each<[string, string, string, RegExp]>([
    ['nothing', '  ', 'unreadable', /empty/],
    ['words', 'please log me in', 'unreadable', /No cookies could be read/],
    ['JSON that was cut', '[{"name":', 'unreadable', /cut when it was copied/],
    ['a cURL without cookies', "curl 'https://gemini.google.com/'", 'unreadable', /cURL command holds no cookies/],
    [
      'cookies of another site',
      '[{"name":"sid","value":"secret1","domain":".example.com"}]',
      'no_session',
      /other sites/,
    ],
    ['what document.cookie shows', 'SID=secret1; APISID=b', 'no_session', /HttpOnly.*extension/],
    ['a signed-out browser', 'NID=secret1', 'no_session', /Sign in at gemini/],
    [
      'a HAR that was saved without cookies',
      JSON.stringify({
        log: { entries: [{ request: { url: 'https://gemini.google.com/app', headers: [], cookies: [] } }] },
      }),
      'withheld',
      /sensitive data/,
    ],
  ])('refuses %s in words that help and quote nothing', (_, text, code, reason) => {
    expect(() => readImport(text)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(reason) }))
    expect(() => readImport(text)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret1') as string }),
    )
  })
})
