import { createNodeGuardedFetch } from '@castorjs/guarded-fetch/node'
import { parseConfig } from '../../src/config.ts'
import { openState } from '../../src/state/open-state.ts'
import { createSessionStore } from '../../src/state/session-store.ts'
import { openWebSession } from '../../src/upstreams/web-session.ts'

// Renews every account again and again until it is killed. The floor of a minute is lifted by forgetting the time of the
// last renewal, so that a kill has something to hit.
const config = parseConfig(JSON.parse(process.env['CASTOR_SETTINGS'] ?? '{}'))
const state = await openState(config)
const mediaFetch = createNodeGuardedFetch()

async function renewForEver(account: (typeof config.accounts)[number]): Promise<never> {
  const store = createSessionStore(state, account.label)
  const patient = {
    ...store,
    load: async () => {
      const session = await store.load()
      if (session === undefined) return undefined
      const { rotatedAtMs: _forgotten, ...rest } = session
      return rest
    },
  }
  for (;;) {
    const session = openWebSession({ label: account.label, account, config, mediaFetch, store: patient })
    await session.client.rotate()
    process.stdout.write(`${account.label}\n`)
    await session.close()
  }
}

await Promise.all(config.accounts.map((account) => renewForEver(account)))
