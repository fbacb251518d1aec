import type { AccountStatus } from '@castorjs/account-pool'
import type { ContentGenerator } from '@castorjs/content-generator'

/** An upstream with its accounts, open for use. */
export interface OpenUpstream {
  generator: ContentGenerator
  /** What stands behind it, for people. */
  description: string
  status: () => Promise<AccountStatus[]>
  close: () => Promise<void>
}
