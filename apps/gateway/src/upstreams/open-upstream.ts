import type { AccountStatus } from '@castorjs/account-pool'
import type { ContentGenerator } from '@castorjs/content-generator'
import type { AccountControls } from './account-controls.ts'

/** An upstream with its accounts, open for use. */
export interface OpenUpstream {
  generator: ContentGenerator
  /** What stands behind it now, for people. */
  describe: () => string
  /** The accounts that its requests go to. */
  status: () => Promise<AccountStatus[]>
  /** All of them, for the operator. */
  controls: AccountControls
  close: () => Promise<void>
}
