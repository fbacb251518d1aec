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
