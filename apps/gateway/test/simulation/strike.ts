import type { Fault } from '@castorjs/gemini-web-emulator'
import type { RunningEmulator } from '@castorjs/gemini-web-emulator/node'
import { setTimeout as sleep } from 'node:timers/promises'
import { SIMULATED } from './simulation.ts'

/** Google renews once a minute: a ticket that ends sooner is lost until then. */
const EXPIRE_EVERY_MS = 70_000

/** What goes wrong in a run, with what an operator does about it. */
export interface Trouble {
  /** Accounts that were signed out for good. */
  readonly signedOut: ReadonlySet<string>
  /** How often each kind struck. */
  readonly counts: Readonly<Record<string, number>>
  /** Strikes until `performance.now()` is there. */
  run(until: number): Promise<void>
}

export interface TroubleOptions {
  emulator: RunningEmulator
  random: () => number
  /** The operator ends what would rest for hours: the block of the address, and the rest of this account. */
  lift: (account: string | undefined) => Promise<void>
}

export function createTrouble({ emulator, random, lift }: TroubleOptions): Trouble {
  const { controls } = emulator.emulator
  const signedOut = new Set<string>()
  const expiredAt = new Map<string, number>()
  const counts: Record<string, number> = {}
  const any = (): string => SIMULATED[Math.floor(random() * SIMULATED.length)]?.name ?? ''

  /** One thing for one account; the weights are shares of a hundred. */
  const kinds: readonly [name: string, weight: number, strike: (account: string) => void][] = [
    ['limited', 14, (account) => fail(account, { kind: 'code', code: 1037 })],
    ['stall', 14, (account) => fail(account, { kind: 'stall', ms: 800, afterFrames: upTo(4) })],
    ['reset', 18, (account) => fail(account, { kind: 'reset', afterFrames: upTo(4) })],
    ['cut', 12, (account) => fail(account, { kind: 'cut', afterFrames: upTo(6) })],
    ['address block', 5, (account) => fail(account, { kind: 'redirect', to: 'sorry' })],
    ['downgrade', 10, (account) => fail(account, { kind: 'downgrade' })],
    ['status call fails', 3, (account) => fail(account, { kind: 'http', status: 503, on: 'batch' })],
    ['token', 9, (account) => controls.expireToken(account)],
    ['ticket', 10, expireTicket],
    ['signed out', 5, signOut],
  ]
  const total = kinds.reduce((sum, [, weight]) => sum + weight, 0)

  function fail(account: string, fault: Fault): void {
    controls.fail({ ...fault, account })
  }
  function upTo(frames: number): number {
    return Math.floor(random() * frames)
  }
  function expireTicket(account: string): void {
    if (performance.now() - (expiredAt.get(account) ?? -Infinity) < EXPIRE_EVERY_MS) return
    expiredAt.set(account, performance.now())
    controls.expireTicket(account)
  }
  function signOut(account: string): void {
    if (signedOut.size >= SIMULATED.length / 4) return
    signedOut.add(account)
    controls.revoke(account)
  }
  function strike(): void {
    let roll = random() * total
    for (const [name, weight, act] of kinds) {
      roll -= weight
      if (roll >= 0) continue
      counts[name] = (counts[name] ?? 0) + 1
      act(any())
      return
    }
  }

  return {
    signedOut,
    counts,
    async run(until) {
      while (performance.now() < until) {
        strike()
        await sleep(60 + random() * 120)
        const account = any()
        if (random() < 0.4) await lift(signedOut.has(account) ? undefined : account)
      }
    },
  }
}
