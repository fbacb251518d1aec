import { defineCommand } from 'citty'
import { openAccountDesk } from '../accounts/account-desk.ts'
import type { CheckStep } from '../accounts/check-web-session.ts'
import { knownArguments } from './known-arguments.ts'
import { orExit } from './or-exit.ts'
import { readConfigOrExit } from './read-config-or-exit.ts'

export const doctorCommand = defineCommand({
  meta: { name: 'doctor', description: 'Check each account step by step, along the same path as a chat.' },
  plugins: [knownArguments],
  async run() {
    const config = readConfigOrExit()
    await orExit(async () => {
      const desk = await openAccountDesk(config)
      try {
        if (desk.remote) console.log('A gateway is running on this state; it does the checks.')
        const accounts = await desk.list()
        let healthy = true
        for (const { id } of accounts) healthy = (await print(id, desk.check(id))) && healthy
        if (accounts.length === 0 && config.geminiWeb.guest) healthy = await print('guest', desk.checkGuest())
        else if (accounts.length === 0) {
          console.log('There is no account of the web app, and GEMINI_GUEST is off.')
          healthy = config.geminiApi.keys.length + config.codeAssist.accounts.length > 0
        }
        process.exitCode = healthy ? 0 : 1
      } finally {
        await desk.close()
      }
    })
  },
})

async function print(label: string, steps: AsyncIterable<CheckStep>): Promise<boolean> {
  console.log(`\n${label}`)
  let healthy = true
  for await (const { name, outcome, message } of steps) {
    if (outcome === 'failed') healthy = false
    console.log(`  ${MARKS[outcome]} ${name.padEnd(10)} ${message}`)
  }
  return healthy
}

const MARKS = { ok: 'ok  ', warning: 'note', failed: 'FAIL' } as const
