import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { bundleCli, killCli, startCli, type Cli, type CliProcess } from './cli-process.ts'

// What a command does not know stops it before it does anything. (`castor accounts` is in src/commands/known-arguments.test.ts.)

let cli: Cli
beforeAll(async () => {
  cli = await bundleCli()
})
afterAll(() => cli.remove())

let folder: string
let running: CliProcess | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'castor-arguments-'))
})
afterEach(async () => {
  if (running !== undefined) await killCli(running)
  rmSync(folder, { recursive: true, force: true })
})

/** No configuration that this could be called with: it must not come so far. */
const run = (args: string[]) => {
  running = startCli(cli, args, folder, { HOST: '127.0.0.1', PORT: '0', GEMINI_PROXY: 'http://127.0.0.1:1' })
  return running.ended
}

it.each([
  [['serve', '--port', '9000'], 'There is no option --port.'],
  [['demo', '9000'], 'There are more arguments than this command takes.'],
  [['doctor', 'ada'], 'There are more arguments than this command takes.'],
  [['state', 'rotate-key', '--dry-run'], 'There is no option --dry-run.'],
  [['login', 'code-assist', '--fiel', 'login.json'], 'There is no option --fiel.'],
])('%j is refused', async (args, sentence) => {
  const { code, text } = await run(args)
  expect({ code, text }).toEqual({
    code: 1,
    text: `${sentence} Call this command with --help to see what it takes.\n`,
  })
  expect(readdirSync(folder)).toEqual([])
})

it('castor --version says which one it is', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  expect(await run(['--version'])).toMatchObject({ code: 0, text: `${version}\n` })
})
