import type { Outcome } from '@castorjs/content-generator'
import type { UsageEntry } from '@castorjs/usage-ledger'
import type { ModelNames } from './model-names.ts'

/** What the ledger keeps of a request. */
export function toLedgerEntry(outcome: Outcome, nameOf: ModelNames): UsageEntry {
  const { caller, served, error, usage, media, firstChunkMs } = outcome
  return {
    key: caller,
    upstream: served?.upstream,
    account: served?.account,
    model: nameOf(outcome),
    code: error?.code,
    usage,
    media,
    firstChunkMs,
  }
}
