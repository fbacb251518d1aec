import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, it } from 'vitest'

// The examples of the packages, run as their readers would: on what `npm run build` made.

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'castor-examples-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What a reader sees, by the example. One that is not here fails. */
const SAYS: Readonly<Record<string, RegExp>> = {
  'account-pool/examples/failover.mjs': /served by ben@example\.com\nHello\nanna@example\.com · cooling until/,
  'caller-keys/examples/keys.mjs':
    /this is Notebook\nforbidden: .*\nunauthenticated: .*\nunauthenticated: .*switched off/,
  'code-assist-client/examples/ask.mjs': /You said: Name a river\./,
  'content-generator/examples/parrot.mjs': /text: 'hello there'[\s\S]*text-delta there\nfinish stop/,
  'cookie-import/examples/look.mjs': /curl: NID, __Secure-1PSID, __Secure-1PSIDTS\naccount \/u\/1/,
  'gemini-api-client/examples/ask.mjs': /You said: Name a river\./,
  'gemini-api-emulator/examples/strict.mjs': /200 You said[\s\S]*400 API key not valid[\s\S]*temprature[\s\S]*429 /,
  'gemini-native-adapter/examples/in-process.mjs': /You said: Hello, Castor/,
  'gemini-web-client/examples/ask.mjs': /answered by 3\.\d Flash/,
  'gemini-web-emulator/examples/port.mjs': /1, 2, 3, 4, 5\n[\s\S]*code: 1037/,
  'gemini-web-protocol/examples/read-a-reply.mjs': /delta: "Water boils"/,
  'guarded-fetch/examples/refuse.mjs': /169\.254\.169\.254 is not a public address[\s\S]*scheme file:/,
  'http-transport/examples/stream.mjs': /tick tick[\s\S]*the server saw us leave/,
  'media-store/examples/serve.mjs': /206 bytes 0-7\/70 8\n403 for a changed link/,
  'openai-adapter/examples/in-process.mjs': /You said: Hello, Castor/,
  'request-limits/examples/limits.mjs': /eva: 429, The limit of 2 requests an hour is used up[\s\S]*retry-after: 5/,
  'state-store/examples/accounts.mjs': /in the store: \[ 'k', 'i', 'd' \]/,
  'usage-ledger/examples/usage.mjs': /2 requests, \{"rate_limited":1\} failed, 80 tokens/,
  'watermark/examples/round-trip.mjs': /mark: 'v2-48'/,
}

const packages = join(root, 'packages')
const examples = readdirSync(packages).flatMap((name) => {
  const path = join(packages, name, 'examples')
  return existsSync(path) ? readdirSync(path).map((file) => `${name}/examples/${file}`) : []
})

it('has an example in every published package, and knows what each of them says', () => {
  const published = readdirSync(packages).filter(
    (name) => !readFileSync(join(packages, name, 'package.json'), 'utf8').includes('"private": true'),
  )
  expect([...new Set(examples.map((example) => example.split('/')[0]))].sort()).toEqual(published.sort())
  expect(examples.sort()).toEqual(Object.keys(SAYS).sort())
})

it.each(examples)('%s says what its reader expects', async (example) => {
  const env = { PATH: process.env['PATH'], EMULATOR: '1' }
  // In a folder of its own: some keep a file beside the reader.
  const { stdout } = await promisify(execFile)(process.execPath, [join(packages, example)], {
    cwd: folder,
    env,
  })
  expect(stdout).toMatch(SAYS[example] ?? /^no such example$/)
})
