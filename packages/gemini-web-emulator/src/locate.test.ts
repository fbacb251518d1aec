import { expect, it } from 'vitest'
import { emulatorBaseUrls, locate, throughEmulator } from './locate.ts'

it.each([
  ['https://gemini.google.com/u/1/app', 'gemini.google.com', '/u/1/app'],
  ['http://127.0.0.1:8765/gemini.google.com/u/1/app', 'gemini.google.com', '/u/1/app'],
  ['http://emulator:80/lh3.googleusercontent.com/gg/x=s0', 'lh3.googleusercontent.com', '/gg/x=s0'],
  ['http://[::1]:1/www.google.com', 'www.google.com', '/'],
  ['http://127.0.0.1:8765/__emulator/health', '', '/__emulator/health'],
  ['http://127.0.0.1:8765/evil.example.com/x', '', '/evil.example.com/x'],
])('finds the place of %s', (url, host, path) => {
  expect(locate(new URL(url))).toEqual({ host, path })
})

it('gives a base URL for every host', () => {
  expect(emulatorBaseUrls('http://127.0.0.1:8765/')).toEqual({
    app: 'http://127.0.0.1:8765/gemini.google.com',
    google: 'http://127.0.0.1:8765/www.google.com',
    accounts: 'http://127.0.0.1:8765/accounts.google.com',
    consent: 'http://127.0.0.1:8765/consent.google.com',
    upload: 'http://127.0.0.1:8765/push.clients6.google.com',
    uploadMultipart: 'http://127.0.0.1:8765/content-push.googleapis.com',
    images: 'http://127.0.0.1:8765/lh3.googleusercontent.com',
    imageHop: 'http://127.0.0.1:8765/work.fife.usercontent.google.com',
    media: 'http://127.0.0.1:8765/contribution.usercontent.google.com',
  })
})

it('leads only served hosts through the emulator', () => {
  expect(throughEmulator('https://lh3.googleusercontent.com/gg/x=s0?alr=yes', 'http://h:1')).toBe(
    'http://h:1/lh3.googleusercontent.com/gg/x=s0?alr=yes',
  )
  expect(throughEmulator('https://images.example.org/a.jpg', 'http://h:1')).toBe('https://images.example.org/a.jpg')
})
