import { describe, expect, it } from 'vitest'
import { readCredentials, writeCredentials } from './credentials.ts'

describe('readCredentials', () => {
  it.each([
    [
      'Gemini CLI',
      { access_token: 'a', refresh_token: 'r', token_type: 'Bearer', expiry_date: 1_795_185_600_000, scope: 's' },
      { accessToken: 'a', refreshToken: 'r', expiresAt: 1_795_185_600_000 },
    ],
    [
      'authorized_user',
      { type: 'authorized_user', client_id: 'c', client_secret: 's', refresh_token: 'r', quota_project_id: 'p' },
      { refreshToken: 'r', clientId: 'c', clientSecret: 's', project: 'p' },
    ],
    [
      'geminicli2api',
      {
        token: 'a',
        refresh_token: 'r',
        client_id: 'c',
        client_secret: 's',
        expiry: '2026-11-20T19:00:00',
        project_id: 'p',
      },
      {
        accessToken: 'a',
        refreshToken: 'r',
        expiresAt: Date.UTC(2026, 10, 20, 19),
        clientId: 'c',
        clientSecret: 's',
        project: 'p',
      },
    ],
    [
      'Go oauth2, nested',
      {
        token: { access_token: 'a', refresh_token: 'r', expiry: '2026-11-20T21:00:00+02:00' },
        project_id: 'p',
        email: 'e@x',
      },
      { accessToken: 'a', refreshToken: 'r', expiresAt: Date.UTC(2026, 10, 20, 19), project: 'p', email: 'e@x' },
    ],
  ])('reads the shape of %s', (_, given, expected) => {
    expect(readCredentials(given)).toEqual(expected)
  })

  it('reads what it writes', () => {
    const credentials = { accessToken: 'a', refreshToken: 'r', expiresAt: 5 }
    expect(readCredentials(writeCredentials(credentials))).toEqual(credentials)
  })

  it.each([[{}], [null], ['text'], [{ access_token: '' }]])('refuses %j', (given) => {
    expect(() => readCredentials(given)).toThrow('neither an access token nor a refresh token')
  })
})
