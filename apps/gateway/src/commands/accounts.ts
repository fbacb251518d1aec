import { decodeImportText, readImport, type CookieImport } from '@castorjs/cookie-import'
import { readImportPath } from '@castorjs/cookie-import/node'
import { defineCommand } from 'citty'
import { buffer } from 'node:stream/consumers'
import { openAccountDesk, type AccountDesk } from '../accounts/account-desk.ts'
import { readAddOptions } from '../accounts/read-account-body.ts'
import { knownArguments } from './known-arguments.ts'
import { orExit } from './or-exit.ts'
import { readConfigOrExit } from './read-config-or-exit.ts'

const add = defineCommand({
  meta: {
    name: 'add',
    description:
      'Add an account, or give one newer cookies, from a file or folder: cookies.txt, a browser export, a HAR, "Copy as cURL", a Firefox profile; - reads standard input.',
  },
  args: {
    from: { type: 'positional', description: 'File, Firefox profile folder, or -', required: true },
    label: { type: 'string', description: 'Name of the account in logs and states.' },
    index: { type: 'string', description: 'The N of /u/N, where the cookies hold several accounts.' },
    proxy: { type: 'string', description: 'http://… or socks5://… for all traffic of this account.' },
  },
  plugins: [knownArguments],
  async run({ args }) {
    await withDesk(async (desk) => {
      const options = readAddOptions({
        label: args.label,
        accountIndex: args.index === undefined ? undefined : Number(args.index),
        proxy: args.proxy,
      })
      const found = await read(args.from)
      console.log(`Found ${found.names.length} cookies (${found.form}): ${found.names.join(', ')}`)
      if (found.accountIndex !== undefined) console.log(`Account in use: /u/${found.accountIndex}`)
      for (const line of found.advice) console.log(`note: ${line}`)
      const { message, check } = await desk.add(found, options)
      for (const step of check) console.log(`  ${step.outcome.padEnd(7)} ${step.name.padEnd(10)} ${step.message}`)
      console.log(message)
    })
  },
})

const list = defineCommand({
  meta: { name: 'list', description: 'Every account of the web app and how it is.' },
  plugins: [knownArguments],
  async run() {
    await withDesk(async (desk) => {
      const accounts = await desk.list()
      if (accounts.length === 0) console.log('There is no account. Add one with `castor accounts add <file>`.')
      for (const { id, text: state, reason, egress, source, notes } of accounts) {
        console.log(`${id}  ${state}  (${reason}; ${egress}; ${source})`)
        for (const note of notes) console.log(`  ${note}`)
      }
    })
  },
})

export const accountsCommand = defineCommand({
  meta: { name: 'accounts', description: 'Add and list accounts of the Gemini web app.' },
  subCommands: { add, list },
})

async function withDesk(work: (desk: AccountDesk) => Promise<void>): Promise<void> {
  const config = readConfigOrExit()
  await orExit(async () => {
    const desk = await openAccountDesk(config)
    try {
      await work(desk)
    } finally {
      await desk.close()
    }
  })
}

async function read(from: string): Promise<CookieImport> {
  return from === '-' ? readImport(decodeImportText(await buffer(process.stdin))) : readImportPath(from)
}
