export {
  createUsageLedger,
  LedgerQueryError,
  type LedgerQuery,
  type LedgerStore,
  type UsageLedger,
  type UsageLedgerOptions,
} from './usage-ledger.ts'
export { sumRows, type EntryUsage, type LedgerRow, type RowName, type UsageEntry } from './ledger-row.ts'
export { toCsv } from './csv.ts'
