import { checkTtl } from './checks.ts'
import type { Lease } from './state-store.ts'

export interface LeaseSteps {
  /** @returns The new expiry, or nothing when the lock is lost. */
  renew(this: void, ttlMs: number): Promise<number | undefined>
  release(this: void): Promise<boolean>
}

/** The object a holder keeps. */
export function createLease(
  {
    name,
    token,
    ttlMs: firstTtlMs,
    expiresAt: first,
  }: { name: string; token: number; ttlMs: number; expiresAt: number },
  steps: LeaseSteps,
): Lease {
  let expiresAt = first
  return {
    name,
    token,
    get expiresAt() {
      return expiresAt
    },
    async renew(ttlMs = firstTtlMs) {
      checkTtl(ttlMs)
      const renewed = await steps.renew(ttlMs)
      if (renewed !== undefined) expiresAt = renewed
      return renewed !== undefined
    },
    release: steps.release,
  }
}
