import { defineCommand } from 'citty'
import { createNodeGuardedFetch } from '@castorjs/guarded-fetch/node'
import { checkWebSession } from '../accounts/check-web-session.ts'
import { openWebSession } from '../upstreams/web-session.ts'
import { readConfigOrExit } from './read-config-or-exit.ts'

export const doctorCommand = defineCommand({
  meta: { name: 'doctor', description: 'Check each account step by step, along the same path as a chat.' },
  async run() {
    const config = readConfigOrExit()
    const mediaFetch = createNodeGuardedFetch(config.remoteFiles)
    const accounts = config.accounts.length > 0 ? config.accounts : [undefined]
    let failed = false
    for (const account of accounts) {
      const label = account?.label ?? 'guest'
      console.log(`\n${label}`)
      const session = openWebSession({ label, account, config, mediaFetch, store: undefined })
      try {
        for await (const step of checkWebSession(session)) {
          if (step.outcome === 'failed') failed = true
          console.log(`  ${MARKS[step.outcome]} ${step.name.padEnd(10)} ${step.message}`)
        }
      } finally {
        await session.close()
      }
    }
    process.exitCode = failed ? 1 : 0
  },
})

const MARKS = { ok: 'ok  ', warning: 'note', failed: 'FAIL' } as const
