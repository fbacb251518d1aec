import type { CookieImport } from '@castorjs/cookie-import'
import { createNodeGuardedFetch } from '@castorjs/guarded-fetch/node'
import { isStateError } from '@castorjs/state-store'
import type { Config } from '../config-schema.ts'
import { openState } from '../state/open-state.ts'
import { openGeminiWeb } from '../upstreams/gemini-web.ts'
import { openWebSession } from '../upstreams/web-session.ts'
import type { AccountView } from './account-view.ts'
import { checkWebSession, type CheckStep } from './check-web-session.ts'
import type { AddOptions, AddResult } from './add-account.ts'

/** What commands do with accounts: on the state itself, or through the gateway that runs on it. */
export interface AccountDesk {
  /** True when a running gateway does the work. */
  remote: boolean
  list(): Promise<AccountView[]>
  add(found: CookieImport, options: AddOptions): Promise<AddResult>
  check(id: string): AsyncIterable<CheckStep>
  checkGuest(): AsyncIterable<CheckStep>
  close(): Promise<void>
}

/**
 * Opens the state; when a running gateway has it, asks that gateway. Either way the stored session is used, so a ticket
 * that is renewed on the way is kept.
 *
 * @throws {StateError} when the state cannot be used. @throws {Error} when the running gateway does not answer.
 */
export async function openAccountDesk(config: Config): Promise<AccountDesk> {
  try {
    return await openLocally(config)
  } catch (error) {
    if (!isStateError(error) || error.code !== 'in_use') throw error
    return askGateway(config)
  }
}

async function openLocally(config: Config): Promise<AccountDesk> {
  const state = await openState(config)
  const mediaFetch = createNodeGuardedFetch(config.remoteFiles)
  try {
    const web = await openGeminiWeb({
      // A command is over before the first renewal of its own.
      config: { ...config, renewal: { startAfterMs: 3_600_000, spreadMs: 0 } },
      mediaFetch,
      state,
      onChange: () => undefined,
    })
    return {
      remote: false,
      list: () => web.accounts.list(),
      add: (found, options) => web.accounts.add(found, options),
      check: (id) => web.accounts.check(id),
      async *checkGuest() {
        const session = openWebSession({ label: 'guest', account: undefined, config, mediaFetch, store: undefined })
        try {
          yield* checkWebSession(session)
        } finally {
          await session.close()
        }
      },
      async close() {
        await web.close()
        await state.close()
      },
    }
  } catch (error) {
    await state.close()
    throw error
  }
}

function askGateway({ port, host, adminKey, apiKeys }: Config): AccountDesk {
  const name = host === undefined || host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  const base = `http://${name.includes(':') ? `[${name}]` : name}:${port}`
  const key = adminKey ?? apiKeys[0]?.key

  async function call(path: string, body?: unknown): Promise<Record<string, unknown>> {
    const response = await fetch(base + path, {
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
      signal: AbortSignal.timeout(240_000),
    }).catch(() => {
      throw new Error(
        `Another process holds the state, and no gateway answers at ${base}. If it listens elsewhere, set PORT and HOST as it has them.`,
      )
    })
    const answer = (await response.json().catch(() => ({}))) as Record<string, unknown> & {
      error?: { message?: string }
    }
    if (response.ok) return answer
    throw new Error(answer.error?.message ?? `The running gateway answered with status ${response.status}.`)
  }

  return {
    remote: true,
    list: async () => (await call('/api/accounts'))['accounts'] as AccountView[],
    async add({ cookies, accountIndex }, { label, accountIndex: index = accountIndex, proxy }) {
      const plain = cookies.map(({ expiresMs, ...cookie }) => ({
        ...cookie,
        ...(expiresMs === undefined ? {} : { expirationDate: expiresMs / 1_000 }),
      }))
      const body = { cookies: plain, label, accountIndex: index, proxy }
      return (await call('/api/accounts', body)) as unknown as AddResult
    },
    async *check(id) {
      const { steps } = await call(`/api/accounts/${encodeURIComponent(id)}/check`, {})
      yield* steps as CheckStep[]
    },
    // The running gateway has a guest of its own, and /ready tells of it.
    async *checkGuest() {
      const { ready } = await call('/ready').catch(() => ({ ready: false }))
      yield {
        name: 'account',
        outcome: ready === true ? 'warning' : 'failed',
        message: ready === true ? 'No account: the gateway serves as a guest.' : 'The running gateway cannot serve.',
      }
    },
    close: async () => undefined,
  }
}
