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

/** As Chrome 100 on Windows wrote it for cmd: other carets, doubled quotes. */
const CURL_OLD_CMD = `curl "https://gemini.google.com/app" ^
  -H "cookie: NID=525=ab^|c^!d; __Secure-1PSID=g.a000x-y_z; __Secure-1PSIDTS=sidts-CjEB=" ^
  -H "sec-ch-ua: ""Chromium"";v=""100""" ^
  --compressed`

/** As Firefox writes it: each cookie with the host of the request, and no dot. */
const POWERSHELL_FIREFOX = `$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession
$session.Cookies.Add((New-Object System.Net.Cookie("NID", "525=ab|c!d", "/", "gemini.google.com")))
$session.Cookies.Add((New-Object System.Net.Cookie("__Secure-1PSID", "g.a000x-y_z", "/", "gemini.google.com")))
$session.Cookies.Add((New-Object System.Net.Cookie("__Secure-1PSIDTS", "sidts-CjEB=", "/", "gemini.google.com")))
Invoke-WebRequest -UseBasicParsing -Uri "https://gemini.google.com/app" \`
-WebSession $session \`
-Headers @{
"Accept" = "*/*"
"X-Goog-AuthUser" = "3"
}`

/** As Chrome before 90 wrote it. */
const POWERSHELL_OLD = `Invoke-WebRequest -Uri "https://gemini.google.com/u/4/app" \`
-Headers @{
"method"="GET"
  "sec-ch-ua"="\`"Chromium\`";v=\`"88\`""
  "cookie"="NID=525=ab|c!d; __Secure-1PSID=g.a000x-y_z; __Secure-1PSIDTS=sidts-CjEB="
}`

/** The request headers as Firefox and Chrome copy them. */
const RAW_HEADERS = `GET /u/5/app HTTP/2
Host: gemini.google.com
Accept-Language: en-GB
Cookie: ${HEADER}
Connection: keep-alive`

/** The panel of Chrome, copied by hand: a name, and its value in the next line. */
const PANEL_HEADERS = `:authority
gemini.google.com
:path
/u/6/app
cookie
${HEADER}
x-same-domain
1`

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
    ['"Copy as cURL" of older Chromes for cmd', CURL_OLD_CMD, 'curl'],
    ['a cURL command typed by hand', `curl -b'${HEADER}' -XGET https://gemini.google.com/app`, 'curl'],
    ['a cURL command with its header glued on', `curl "-HCookie: ${HEADER}" https://gemini.google.com/app`, 'curl'],
    ['"Copy as PowerShell" of Firefox', POWERSHELL_FIREFOX, 'powershell'],
    ['"Copy as PowerShell" of older Chromes', POWERSHELL_OLD, 'powershell'],
    ['raw request headers', RAW_HEADERS, 'header'],
    ['the header panel of the developer tools', PANEL_HEADERS, 'header'],
    ['cookies one a line', HEADER.replaceAll('; ', '\n'), 'header'],
    ['cookies.txt', NETSCAPE, 'cookies.txt'],
    ['cookies.txt whose tabs became spaces', NETSCAPE.replaceAll('\t', '    '), 'cookies.txt'],
    ['rows of cookies.txt without its first lines', NETSCAPE.split('\r\n').slice(3).join('\n'), 'cookies.txt'],
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

  it.each<[string, number, number | undefined]>([
    ['seconds', 1_900_000_000, 1_900_000_000_000],
    ['milliseconds', 1_900_000_000_123, 1_900_000_000_123],
    ['microseconds since 1601, as Chrome keeps them', 13_370_000_000_000_000, 1_725_526_400_000],
    ['no date at all', 1e300, undefined],
    ['-1 for a session cookie', -1, undefined],
  ])('takes an end in %s for what it is', (_, time, expiresMs) => {
    const [cookie] = EXTENSION
    const forms = [
      `# Netscape HTTP Cookie File\n.google.com\tTRUE\t/\tTRUE\t${time}\t__Secure-1PSID\tg.a000x`,
      JSON.stringify([{ ...cookie, expirationDate: time }]),
      JSON.stringify({ cookies: [{ ...SESSION, domain: '.google.com', expires: time }] }),
    ]
    expect(forms.map((text) => readImport(text).sessionEndsMs)).toEqual(Array(3).fill(expiresMs))
  })

  it('reads escapes of both shells to the letter', () => {
    const nid = (text: string) => readImport(text).cookies.find(({ name }) => name === 'NID')?.value
    expect([CURL_BASH, CURL_CMD, CURL_OLD_CMD, POWERSHELL_FIREFOX, POWERSHELL_OLD].map(nid)).toEqual(
      Array(5).fill('525=ab|c!d'),
    )
  })

  it('tells which of several accounts was in use', () => {
    const index = (text: string) => readImport(text).accountIndex
    expect([CURL_BASH, CURL_FIREFOX, CURL_CMD, JSON.stringify(HAR)].map(index)).toEqual([2, 1, undefined, 1])
    expect([POWERSHELL_FIREFOX, POWERSHELL_OLD, RAW_HEADERS, PANEL_HEADERS].map(index)).toEqual([3, 4, 5, 6])
    expect(index(`curl 'https://gemini.google.com/app?hl=en&authuser=7' -b '${HEADER}'`)).toBe(7)
    // Another page of Google's that was asked for another account, later.
    const entries = [
      ...HAR.log.entries,
      entry('2026-11-20T10:00:20.000Z', HEADER, [], 'https://ogs.google.com/u/0/widget'),
    ]
    expect(index(JSON.stringify({ log: { entries } }))).toBe(1)
  })

  it('takes no session from a recording in which it was signed out', () => {
    const past = '1990-01-01T00:00:00.000Z'
    const gone = PAIR.map(({ name }) => ({ name, value: 'EXPIRED', domain: '.google.com', path: '/', expires: past }))
    const entries = [...HAR.log.entries, entry('2026-11-20T10:00:30.000Z', HEADER, gone)]
    expect(() => readImport(JSON.stringify({ log: { entries } }))).toThrow(
      expect.objectContaining({ code: 'no_session' }),
    )
  })

  it('sends no cookie of another site to Google, whatever its host looks like', () => {
    const text = POWERSHELL_FIREFOX.replace(
      'Invoke',
      '$session.Cookies.Add((New-Object System.Net.Cookie("theirs", "x", "/", "notgoogle.com")))\nInvoke',
    )
    expect(readImport(text).names).toEqual(['NID', '__Secure-1PSID', '__Secure-1PSIDTS'])
  })

  it('says that a session is bound to a device, and what to do instead', () => {
    const found = readImport(`${HEADER}; __Secure-1PSIDRTS=sidrts-a`)
    expect(found.deviceBound).toBe(true)
    expect(found.advice).toEqual([expect.stringMatching(/dies within an hour or two.*Firefox.*private window/)])
  })

  it.each([
    ['a header', `\uFEFF\u200B${HEADER}\u200B`],
    ['lines', PAIR.map(({ name, value }) => `\u2060${name}=${value}\u200D\n`).join('')],
    ['JSON', JSON.stringify(PAIR).replaceAll('"', '"\u200C')],
  ])('reads over marks that nobody sees: %s', (_, text) => {
    const { cookies } = readImport(text)
    const pair = cookies.filter(({ name }) => name.startsWith('__Secure-1PSID'))
    expect(pair.map(({ name, value }) => ({ name, value }))).toEqual(PAIR)
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
    ['a session that was damaged', '{"__Secure-1PSID":"g.a000secret1é"}', 'no_session', /damaged on the way/],
    ['a ticket that was damaged', `${HEADER}secret1é`, 'no_session', /^__Secure-1PSIDTS holds .* damaged on the way/],
    ['a value alone that ends in padding', 'sidts-CjEBsecret1==', 'unreadable', /No cookies could be read/],
    ['the same behind a cookie', 'NID=511; sidts-CjEBsecret1==', 'no_session', /found: NID\)/],
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
