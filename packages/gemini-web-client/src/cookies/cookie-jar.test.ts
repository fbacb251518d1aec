import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createCookieJar } from './cookie-jar.ts'

const APP = 'https://gemini.google.com/app'
const ACCOUNTS = 'https://accounts.google.com/RotateCookies'

describe('createCookieJar', () => {
  it('sends to each host what a browser would', () => {
    const jar = createCookieJar()
    jar.add([
      { name: '__Secure-1PSID', value: 'a' },
      { name: 'OSID', value: 'b', domain: 'gemini.google.com', hostOnly: true },
      { name: 'LSID', value: 'c', domain: 'accounts.google.com', hostOnly: true },
      { name: 'other', value: 'd', domain: '.example.com' },
    ])
    expect(jar.header(APP)).toBe('__Secure-1PSID=a; OSID=b')
    expect(jar.header(ACCOUNTS)).toBe('__Secure-1PSID=a; LSID=c')
    expect(jar.header('https://www.example.com/')).toBeUndefined()
  })

  it('sends only the pair for a rotation, and no host-only cookie to the download hosts', () => {
    const jar = createCookieJar()
    jar.add([
      { name: '__Secure-1PSID', value: 'a' },
      { name: '__Secure-1PSIDTS', value: 'b' },
      { name: 'NID', value: 'c' },
      { name: 'COMPASS', value: 'd', domain: 'gemini.google.com', hostOnly: true },
    ])
    expect(jar.header(ACCOUNTS, 'pair')).toBe('__Secure-1PSID=a; __Secure-1PSIDTS=b')
    expect(jar.header('https://lh3.googleusercontent.com/x', 'download')).toBe(
      '__Secure-1PSID=a; __Secure-1PSIDTS=b; NID=c',
    )
    expect(jar.header(APP, 'none')).toBeUndefined()
  })

  it('tells a renewed ticket from other changes, and a change from none', () => {
    const jar = createCookieJar()
    const ticket = '__Secure-1PSIDTS=new; Domain=.google.com; Path=/; Secure'
    expect(jar.merge(APP, [ticket])).toEqual({ changed: true, ticket: true })
    expect(jar.merge(APP, [ticket])).toEqual({ changed: false, ticket: false })
    expect(jar.merge(APP, ['SIDCC=1; Domain=.google.com; Path=/'])).toEqual({ changed: true, ticket: false })
    expect(jar.merge(APP, ['x=1; Domain=.example.com'])).toEqual({ changed: false, ticket: false })
  })

  it('drops what has run out', () => {
    const jar = createCookieJar()
    jar.add([
      { name: 'NID', value: 'old', expiresMs: 1 },
      { name: 'SID', value: 'new' },
    ])
    expect(jar.header(APP)).toBe('SID=new')
  })

  it('makes an end of an age, so that it can be kept', () => {
    const jar = createCookieJar()
    const before = Date.now()
    jar.merge(APP, [
      'SIDCC=1; Domain=.google.com; Max-Age=60',
      'NID=2; Domain=.google.com; Max-Age=99999999999999999999',
    ])
    const [counter, forever] = jar.export()
    expect(counter?.expiresMs).toBeGreaterThanOrEqual(before + 60_000)
    expect(counter?.expiresMs).toBeLessThanOrEqual(Date.now() + 60_000)
    expect(forever).not.toHaveProperty('expiresMs')
  })

  it('takes an end that is no date for none', () => {
    const jar = createCookieJar()
    const ends = [1e303, -1e303, Number.NaN, Number.POSITIVE_INFINITY, 8.64e15]
    jar.add(ends.map((expiresMs, index) => ({ name: `c${index}`, value: 'a', expiresMs })))
    expect(jar.export().map(({ name, expiresMs }) => [name, expiresMs])).toEqual([
      ['c0', undefined],
      ['c1', undefined],
      ['c2', undefined],
      ['c3', undefined],
      ['c4', 8.64e15],
    ])
  })

  it('takes whatever an export holds, and sends nothing that is no header', () => {
    const word = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '.google.com',
        'a b.google.com',
        '[.google.com',
        'x@google.com',
        '..google.com',
        '/',
        '/\n',
        '__proto__',
      ),
    )
    const cookie = fc.record(
      { name: word, value: word, domain: word, path: word, expiresMs: fc.double(), hostOnly: fc.boolean() },
      { requiredKeys: ['name', 'value'] },
    )
    fc.assert(
      fc.property(fc.array(cookie), (cookies) => {
        const jar = createCookieJar()
        jar.add(cookies)
        expect(jar.header(APP) ?? '').toMatch(/^[\t -~]*$/)
        const copy = createCookieJar()
        copy.add(jar.export())
        expect(copy.export()).toEqual(jar.export())
      }),
    )
  })

  it('gives back what it takes', () => {
    const jar = createCookieJar()
    jar.add([
      { name: '__Secure-1PSID', value: 'a', expiresMs: 1_900_000_000_000 },
      { name: 'OSID', value: 'b', domain: 'gemini.google.com', hostOnly: true },
    ])
    const copy = createCookieJar()
    copy.add(jar.export())
    expect(copy.export()).toEqual(jar.export())
    expect(copy.header(APP)).toBe(jar.header(APP))
  })
})
