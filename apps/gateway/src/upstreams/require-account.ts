import type { StateStore } from '@castorjs/state-store'
import { createAccountRecords } from '../accounts/account-record.ts'
import { ConfigError } from '../config.ts'
import type { Config } from '../config-schema.ts'

/**
 * Without a guest somebody has to be there to serve: of the configuration, or added before and kept in the state.
 *
 * @throws {ConfigError} when nobody is.
 */
export async function requireAccount(
  { geminiWeb, accounts, geminiApi, codeAssist }: Config,
  state: StateStore,
): Promise<void> {
  if (geminiWeb.guest || accounts.length + geminiApi.keys.length + codeAssist.accounts.length > 0) return
  for (const { removed, configured } of await createAccountRecords(state).list()) {
    if (removed !== true && configured !== true) return
  }
  throw new ConfigError([
    'GEMINI_GUEST: is off and there is no account, key or login, so nothing could be served; set SECURE_1PSID or GEMINI_API_KEY, or run `castor accounts add`',
  ])
}
