import { describe, expect, it } from 'vitest'
import { readProxyUrl } from './proxy-url.ts'

describe('readProxyUrl', () => {
  it.each([
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['HTTP://Proxy.Example:8080/', 'http://proxy.example:8080'],
    ['https://me:p%40ss@proxy.example', 'https://me:p%40ss@proxy.example'],
    ['socks5h://me:@[::1]:1080', 'socks5h://me:@[::1]:1080'],
    ['http://me:100%@127.0.0.1:1', 'http://me:100%25@127.0.0.1:1'],
    ['socks5://me:%zz@127.0.0.1:1', 'socks5://me:%25zz@127.0.0.1:1'],
    ['http://me:p@ss@127.0.0.1:1', 'http://me:p%40ss@127.0.0.1:1'],
  ])('brings %s into one form', (given, wanted) => {
    expect(readProxyUrl(given)).toBe(wanted)
    expect(readProxyUrl(wanted)).toBe(wanted)
  })

  it.each([
    'example',
    'ftp://127.0.0.1:1',
    'http://127.0.0.1:99999',
    'socks5://127.0.0.1:99999',
    'http://me:hunter2@[::1',
    'http://me:hunter2@',
    'socks5://me:hunter2@:1080',
    'http://me:%ff@127.0.0.1:1',
    'http://me:a/b@127.0.0.1:1',
    'http://127.0.0.1:1?x=1',
    'http://127.0.0.1:1#x',
    'http://ho st:1',
    'http://127.0.0.1:1\n',
    '',
  ])('takes %j for none', (text) => {
    expect(readProxyUrl(text)).toBeUndefined()
  })
})
