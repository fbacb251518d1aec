import { ControlError } from './settings.ts'

/** Where a fault strikes. */
export type FaultPlace = 'page' | 'rotate' | 'generate' | 'batch' | 'upload' | 'download' | 'any'

/** What goes wrong. Every field has a default that does something sensible. */
export type FaultAction =
  /** A refusal code inside the reply: instead of the answer, after part of it, or after all of it. `code: 0` sends the bare status. */
  | { kind: 'code'; code: number; status?: number; when?: 'instead' | 'partial' | 'after' }
  /** An HTTP status with an `er` body, a Google error page, the interstitial, or nothing. */
  | { kind: 'http'; status: number; body?: 'er' | 'html' | 'sorry' | 'empty' }
  | { kind: 'redirect'; to: 'sign-in' | 'consent' | 'sorry' }
  /** Status 200 with a page instead of a reply. */
  | { kind: 'html' }
  /** The acknowledgement and the trailer, no answer. */
  | { kind: 'empty' }
  /** Answered as a guest: the smallest model, no thoughts, nothing stored. Source: fact sheet §1.3. */
  | { kind: 'downgrade' }
  /** The body ends there, without the end marker. */
  | { kind: 'cut'; afterBytes?: number; afterFrames?: number }
  /** The connection breaks there. `afterBytes: 0` breaks it before the status line. */
  | { kind: 'reset'; afterBytes?: number; afterFrames?: number }
  /** Nothing comes for `ms`; without `ms` for ever. */
  | { kind: 'stall'; ms?: number; afterBytes?: number; afterFrames?: number }
  /** Text that is no frame, put between two frames. */
  | { kind: 'garbage'; text?: string; afterFrames?: number }
  /** A frame whose number is wrong. */
  | { kind: 'wrong-length'; afterFrames?: number }

export type Fault = FaultAction & {
  /** Default `generate`. */
  on?: FaultPlace
  /** Only calls of this RPC id. */
  rpc?: string
  /** Only this account (`guest` for guests). */
  account?: string
  /** Only this model, by id. */
  model?: string
  /** Only this network address. */
  address?: string
  /** Requests it strikes. Default 1; 0 means until it is removed. */
  times?: number
  /** Matching requests that pass first. Default 0. */
  skip?: number
}

export interface FaultTarget {
  place: Exclude<FaultPlace, 'any'>
  account: string
  address: string
  model?: string
  rpcs?: readonly string[]
}

export interface FaultList {
  readonly pending: readonly Fault[]
  add(fault: Fault): void
  clear(): void
  /** The fault that strikes this request, if any; it is used up by that. */
  take(target: FaultTarget): Fault | undefined
}

export function createFaultList(): FaultList {
  let waiting: Array<{ fault: Fault; skip: number; left: number }> = []
  return {
    get pending() {
      return waiting.map(({ fault }) => fault)
    },
    add(fault) {
      const times = fault.times ?? 1
      waiting.push({ fault, skip: fault.skip ?? 0, left: times === 0 ? Infinity : times })
    },
    clear() {
      waiting = []
    },
    take(target) {
      if (waiting.length === 0) return undefined
      for (const entry of waiting) {
        if (!matches(entry.fault, target)) continue
        if (entry.skip > 0) {
          entry.skip--
          continue
        }
        entry.left--
        if (entry.left <= 0) waiting = waiting.filter((other) => other !== entry)
        return entry.fault
      }
      return undefined
    },
  }
}

function matches({ on = 'generate', rpc, account, model, address }: Fault, target: FaultTarget): boolean {
  if (on !== 'any' && on !== target.place) return false
  if (rpc !== undefined && target.rpcs?.includes(rpc) !== true) return false
  if (account !== undefined && account !== target.account) return false
  if (model !== undefined && model !== target.model) return false
  return address === undefined || address === target.address
}

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  code: ['code', 'status', 'when'],
  http: ['status', 'body'],
  redirect: ['to'],
  html: [],
  empty: [],
  downgrade: [],
  cut: ['afterBytes', 'afterFrames'],
  reset: ['afterBytes', 'afterFrames'],
  stall: ['ms', 'afterBytes', 'afterFrames'],
  garbage: ['text', 'afterFrames'],
  'wrong-length': ['afterFrames'],
}
const COMMON = ['kind', 'on', 'rpc', 'account', 'model', 'address', 'times', 'skip']
const NUMBERS = new Set(['code', 'status', 'afterBytes', 'afterFrames', 'ms', 'times', 'skip'])
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  when: ['instead', 'partial', 'after'],
  body: ['er', 'html', 'sorry', 'empty'],
  to: ['sign-in', 'consent', 'sorry'],
  on: ['page', 'rotate', 'generate', 'batch', 'upload', 'download', 'any'],
}
const NEEDED: Readonly<Record<string, string>> = { code: 'code', http: 'status', redirect: 'to' }

/** Checks a fault that came as JSON. @throws {ControlError} naming the field. */
export function readFault(value: unknown): Fault {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ControlError('fault', 'A fault must be an object with a kind')
  const fault = value as Record<string, unknown>
  const own = typeof fault['kind'] === 'string' ? FIELDS[fault['kind']] : undefined
  if (own === undefined) throw new ControlError('kind', `kind must be one of ${Object.keys(FIELDS).join(', ')}`)
  for (const [field, given] of Object.entries(fault)) {
    if (!own.includes(field) && !COMMON.includes(field)) {
      throw new ControlError(
        field,
        `A fault of kind ${String(fault['kind'])} has no field ${field}. Known: ${[...own, ...COMMON].join(', ')}`,
      )
    }
    if (NUMBERS.has(field) && (typeof given !== 'number' || !Number.isFinite(given) || given < 0))
      throw new ControlError(field, `${field} must be a number from 0`)
    const choices = CHOICES[field]
    if (choices !== undefined && !choices.includes(given as string))
      throw new ControlError(field, `${field} must be one of ${choices.join(', ')}`)
    if (!NUMBERS.has(field) && typeof given !== 'string') throw new ControlError(field, `${field} must be a text`)
  }
  const needed = NEEDED[fault['kind'] as string]
  if (needed !== undefined && fault[needed] === undefined)
    throw new ControlError(needed, `A fault of kind ${String(fault['kind'])} needs ${needed}`)
  return fault as unknown as Fault
}
