import type { AccountPool, AccountStatus } from '@castorjs/account-pool'
import type { PausedAccounts } from './paused-accounts.ts'

/** What the operator sees of an upstream's accounts and does with them. Never a key. */
export interface AccountControls {
  list(): Promise<AccountStatus[]>
  /** Takes an account out of use or back; a restart does not change that. False when there is none of this id. */
  setPaused(id: string, paused: boolean): Promise<boolean>
  /** Ends every rest of an account, of its models and of its address. False when there is none of this id. */
  reset(id: string): Promise<boolean>
}

/** Accounts that are known from the start to the end of the process: those of the configuration. */
export function createAccountControls(pool: AccountPool<unknown>, paused: PausedAccounts): AccountControls {
  return {
    list: () => pool.status(),
    async setPaused(id, wanted) {
      if (pool.get(id) === undefined) return false
      // The pool's own state tells other processes; the record is for the next start.
      await paused.set(id, wanted)
      return wanted ? pool.pause(id) : pool.resume(id)
    },
    reset: (id) => pool.reset(id),
  }
}
