import { describe, expect, it } from 'vitest'
import { readRedisUrl } from './redis-url.ts'

const ENCODE = 'A password with / ? # @ or % in it must be percent-encoded (encodeURIComponent)'
const SHAPE = `The Redis URL must look like redis://user:password@host:6379/0, or rediss://… for TLS. ${ENCODE}`
const DATABASE = `The database in the Redis URL, which follows host and port, must be a number such as /0. ${ENCODE}`
const BEYOND = `The Redis URL goes on after the database. ${ENCODE}`

describe('readRedisUrl', () => {
  it.each([
    ['redis://127.0.0.1', { address: '127.0.0.1:6379', database: 0 }],
    ['redis://user:p%40ss%2Fw@redis.example:7000/', { address: 'redis.example:7000', database: 0 }],
    ['rediss://:secret@[::1]:7000/15?family=6', { address: '[::1]:7000', database: 15 }],
    ['redis://redis.example?db=3', { address: 'redis.example:6379', database: 3 }],
  ])('reads %s', (url, parts) => {
    expect(readRedisUrl(url)).toEqual(parts)
  })

  it.each([
    ['nonsense', SHAPE],
    ['http://127.0.0.1', SHAPE],
    ['redis://user:pa#ss@127.0.0.1', SHAPE],
    ['redis://:pa/ss@127.0.0.1', SHAPE],
    ['redis://:pa%ss@127.0.0.1', SHAPE],
    ['redis://', SHAPE],
    ['redis:', SHAPE],
    ['redis://127.0.0.1/castor', DATABASE],
    ['redis://127.0.0.1/-1', DATABASE],
    ['redis://127.0.0.1/0/1', DATABASE],
    ['redis://127.0.0.1?db=castor', DATABASE],
    ['redis://:p@ss/word@127.0.0.1', DATABASE],
    ['redis://:p@ss/word#1@127.0.0.1', BEYOND],
    ['redis://:p@ss?word@127.0.0.1', BEYOND],
  ])('says what is wrong with %s, and quotes nothing', (url, message) => {
    expect(() => readRedisUrl(url)).toThrow(expect.objectContaining({ name: 'StateError', code: 'invalid', message }))
  })
})
