import type { AccountSpec } from './accounts.ts'
import { readFault, type Fault } from './faults.ts'
import type { LoggedRequest } from './request-log.ts'
import { readScriptedAnswer, type ScriptedAnswer } from './scripted.ts'
import { applySettings, ControlError, type EmulatorSettings, type SettingsPatch } from './settings.ts'
import type { World } from './world.ts'

/** A whole situation in one object. */
export interface Scenario {
  settings?: SettingsPatch
  faults?: readonly Fault[]
  answers?: readonly ScriptedAnswer[]
  accounts?: readonly AccountSpec[]
}

/** What a test can turn, put in and look at. Everything throws {@link ControlError} for what makes no sense. */
export interface Controls {
  readonly settings: Readonly<EmulatorSettings>
  /** Changes some settings; the others stay. */
  set(patch: SettingsPatch): void
  /** Lets the next matching request go wrong. Faults strike in the order they were added. */
  fail(fault: Fault): void
  /** Puts in an answer for the next matching prompt. */
  answer(answer: ScriptedAnswer | string): void
  /** Settings, faults, answers and accounts at once. */
  play(scenario: Scenario): void
  readonly faults: readonly Fault[]
  readonly answers: readonly ScriptedAnswer[]
  clearFaults(): void
  clearAnswers(): void
  /** Requests so far, oldest first. */
  readonly requests: readonly LoggedRequest[]
  clearRequests(): void
  /** Moves the clock: tickets, tokens, uploads and jobs age by so much. Returns the new time. */
  advance(ms: number): number
  accounts(): AccountReport[]
  addAccount(spec: AccountSpec): void
  /** The ticket of this account is too old from now on. */
  expireTicket(account: string): void
  /** Request tokens given out so far are refused. */
  expireToken(account: string): void
  /** Signs the account out: its session is worth nothing. */
  revoke(account: string): void
  /** Changes an account. */
  changeAccount(account: string, change: AccountChange): void
  /** Everything as it was in the first moment. */
  reset(): void
}

export interface AccountChange {
  /** Status code of `otAQ7b`. */
  status?: number
  deviceBound?: boolean
  revoked?: boolean
}

export interface AccountReport {
  name: string
  tier: string
  session: string
  ticket: string | null
  status: number
  deviceBound: boolean
  revoked: boolean
  rotations: number
  chats: number
  gems: number
}

export function createControls(world: World): Controls {
  function account(name: string): NonNullable<ReturnType<World['accounts']['find']>> {
    const found = world.accounts.find(name)
    if (found === undefined)
      throw new ControlError(
        'account',
        `There is no account ${name}. Known: ${world.accounts.all.map((each) => each.name).join(', ')}`,
      )
    return found
  }
  const controls: Controls = {
    settings: world.settings,
    set: (patch) => applySettings(world.settings, patch),
    fail: (fault) => world.faults.add(readFault(fault)),
    answer: (answer) => world.answers.add(readScriptedAnswer(typeof answer === 'string' ? { text: answer } : answer)),
    play({ settings, faults = [], answers = [], accounts = [] }) {
      // Checked first, so that a scenario with a mistake changes nothing.
      const checkedFaults = faults.map(readFault)
      const checkedAnswers = answers.map(readScriptedAnswer)
      const checkedAccounts = accounts.map(readAccountSpec)
      if (settings !== undefined) applySettings(world.settings, settings)
      for (const fault of checkedFaults) world.faults.add(fault)
      for (const answer of checkedAnswers) world.answers.add(answer)
      for (const spec of checkedAccounts) world.accounts.add(spec)
    },
    get faults() {
      return world.faults.pending
    },
    get answers() {
      return world.answers.pending
    },
    clearFaults: () => world.faults.clear(),
    clearAnswers: () => world.answers.clear(),
    get requests() {
      return world.log.entries.slice(-world.settings.log.size)
    },
    clearRequests: () => world.log.clear(),
    advance(ms) {
      if (!Number.isFinite(ms) || ms < 0) throw new ControlError('ms', 'ms must be a number from 0')
      world.clock.advance(ms)
      return world.clock.now()
    },
    accounts: () =>
      world.accounts.all.map(({ name, tier, session, ticket, status, deviceBound, revoked, rotations, profiles }) => ({
        name,
        tier,
        session,
        ticket: ticket?.value ?? null,
        status,
        deviceBound,
        revoked,
        rotations,
        chats: profiles.reduce((sum, profile) => sum + profile.chats.size, 0),
        gems: profiles.reduce((sum, profile) => sum + profile.gems.size, 0),
      })),
    addAccount: (spec) => void world.accounts.add(readAccountSpec(spec)),
    expireTicket(name) {
      const { ticket } = account(name)
      if (ticket !== null) ticket.issuedMs = -Infinity
    },
    expireToken(name) {
      account(name).tokensFromMs = world.clock.now() + 1
      world.clock.advance(1)
    },
    revoke(name) {
      account(name).revoked = true
    },
    changeAccount(name, change) {
      const target = account(name)
      if (change.status !== undefined) target.status = change.status
      if (change.deviceBound !== undefined) target.deviceBound = change.deviceBound
      if (change.revoked !== undefined) target.revoked = change.revoked
    },
    reset: () => world.reset(),
  }
  return controls
}

const TIERS = ['free', 'advanced', 'plus']

/** Checks an account that came as JSON. @throws {ControlError} naming the field. */
function readAccountSpec(value: unknown): AccountSpec {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ControlError('account', 'An account must be an object with name, session and ticket')
  const spec = value as Partial<AccountSpec>
  for (const field of ['name', 'session'] as const) {
    if (typeof spec[field] !== 'string' || spec[field] === '')
      throw new ControlError(field, `${field} must be a text that is not empty`)
  }
  if (spec.ticket !== null && (typeof spec.ticket !== 'string' || spec.ticket === ''))
    throw new ControlError('ticket', 'ticket must be a text, or null for an account without one')
  if (spec.tier !== undefined && !TIERS.includes(spec.tier))
    throw new ControlError('tier', `tier must be one of ${TIERS.join(', ')}`)
  if (spec.profiles !== undefined && !(Number.isInteger(spec.profiles) && spec.profiles >= 1 && spec.profiles <= 20)) {
    throw new ControlError('profiles', 'profiles must be a whole number from 1 to 20')
  }
  if (
    spec.accountNumber !== undefined &&
    (typeof spec.accountNumber !== 'string' || !/^\d+$/.test(spec.accountNumber))
  ) {
    throw new ControlError('accountNumber', 'accountNumber must be a text of digits')
  }
  return spec as AccountSpec
}
