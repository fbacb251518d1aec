import { beginSignIn } from '@castorjs/code-assist-client'
import { createTokenFile, signInWithBrowser } from '@castorjs/code-assist-client/node'
import { defineCommand } from 'citty'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { makeDataDir } from '../state/open-state.ts'
import { knownArguments } from './known-arguments.ts'
import { readConfigOrExit } from './read-config-or-exit.ts'
import { startOrExit } from './start-or-exit.ts'

const codeAssist = defineCommand({
  meta: { name: 'code-assist', description: 'Sign in to Code Assist with a Google account of your own.' },
  args: {
    paste: { type: 'boolean', description: 'Open the page yourself and paste the code it shows.', default: false },
    file: { type: 'string', description: 'Where to keep the login. Default: code-assist.json in the data directory.' },
  },
  plugins: [knownArguments],
  async run({ args }) {
    const { codeAssist: settings, dataDir } = readConfigOrExit()
    const { clientId, clientSecret, tokenUrl } = settings
    if (clientId === undefined || clientSecret === undefined) {
      console.error(
        'Castor ships no OAuth client. Set CODE_ASSIST_CLIENT_ID and CODE_ASSIST_CLIENT_SECRET to those of your own.',
      )
      process.exit(2)
    }
    console.log(
      'Google allows Code Assist in its own clients only, and serves Standard and Enterprise seats alone. README.md says more.\n',
    )
    // Before anybody signs in: the login could not be kept.
    if (args.file === undefined) await startOrExit(() => makeDataDir(dataDir))
    const client = { clientId, clientSecret, ...(tokenUrl === undefined ? {} : { tokenUrl }) }
    const signal = new AbortController().signal
    const credentials = args.paste
      ? await signInByPaste(client, signal)
      : await signInWithBrowser({
          ...client,
          signal,
          open: (url) => console.log(`Open this page in a browser on this machine:\n\n  ${url}\n`),
        })
    const path = resolve(args.file ?? `${dataDir}/code-assist.json`)
    await createTokenFile(path).save(credentials)
    console.log(`Signed in. The login is in ${path}; set CODE_ASSIST_CREDENTIALS to it and start Castor again.`)
  },
})

async function signInByPaste(client: { clientId: string; clientSecret: string }, signal: AbortSignal) {
  const signIn = await beginSignIn(client)
  console.log(`Open this page and sign in:\n\n  ${signIn.url}\n`)
  const prompt = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return await signIn.finish(await prompt.question('Code: '), signal)
  } finally {
    prompt.close()
  }
}

export const loginCommand = defineCommand({
  meta: { name: 'login', description: 'Sign in to an upstream.' },
  subCommands: { 'code-assist': codeAssist },
})
