export {
  createAccountPool,
  type AccountPool,
  type AccountPoolOptions,
  type Lease,
  type LeaseOptions,
  type PoolChange,
  type PooledAccount,
} from './pool.ts'
export { callWithAccounts, createSearch, type AccountSearch, type SearchOptions } from './search.ts'
export type { AccountOptions, PoolPolicy } from './policy.ts'
export type { AccountState, AccountStatus } from './account-status.ts'
export { FAILURES, judge, type Failure, type FailureRow, type RestKind, type Rests, type Verdict } from './failures.ts'
export { createMemoryPoolState, type MemoryPoolState } from './memory-state.ts'
export { createDurablePoolState, type DurablePoolStateOptions, type PoolRecords } from './durable-state.ts'
export { createFallbackPoolState, type FallbackPoolStateOptions } from './fallback-state.ts'
export type {
  AccountFacts,
  AccountLimits,
  AccountMemory,
  Answer,
  Ask,
  EgressFacts,
  EgressMemory,
  HeldLease,
  Obstacle,
  PoolFacts,
  PoolMemory,
  PoolState,
  Rest,
  RestOrder,
  Scope,
  Window,
} from './pool-state.ts'
