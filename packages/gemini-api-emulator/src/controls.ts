import type { Answer } from './answer/answer.ts'
import type { Fault } from './faults.ts'
import type { GenerateRequest } from './request.ts'

/** Operations that can be told to fail, and that are recorded. `generate` stands for both generation methods. */
export type Operation =
  | 'generateContent'
  | 'streamGenerateContent'
  | 'countTokens'
  | 'embedContent'
  | 'batchEmbedContents'
  | 'models'
  | 'files'
  | 'upload'
  | 'token'
  | 'authorize'
  | 'loadCodeAssist'
  | 'onboardUser'
  | 'operation'
  | 'retrieveUserQuota'
  | 'other'

/** One request as it arrived. Credentials are among its headers: for tests only. */
export interface RecordedRequest {
  operation: Operation
  method: string
  path: string
  query: Record<string, string>
  headers: Record<string, string>
  /** Parsed JSON or form; undefined for bytes and empty bodies. */
  body: unknown
}

/** Decides what the model says, instead of the emulator. Undefined leaves it to the emulator. */
export type AnswerScript = (request: GenerateRequest, model: string) => Answer | undefined

export interface EmulatorControls {
  /** Every request since the start or the last `clear`, oldest first. */
  readonly requests: readonly RecordedRequest[]
  /** Answers that are being sent, and requests that get none, at this moment. */
  readonly active: number
  /** Makes the next requests fail. Faults of one operation are used up in order. Default: once, at generation. */
  fail(fault: Fault, options?: { times?: number; at?: Operation | 'generate' }): void
  answerWith(script: AnswerScript | undefined): void
  /** Lets a key in, for a project. */
  addKey(key: string, project: string): void
  removeKey(key: string): void
  /** Makes every access token of Code Assist invalid; refresh tokens go on working. */
  expireAccessTokens(): void
  /** Forgets requests, faults and scripts; keys and files stay. */
  clear(): void
}

interface PlannedFault {
  fault: Fault
  left: number
  at: Operation | 'generate'
}

/** Keeps what the controls were told, and hands faults out. */
export interface ControlState extends Pick<EmulatorControls, 'fail' | 'answerWith' | 'clear'> {
  readonly requests: RecordedRequest[]
  script: AnswerScript | undefined
  record(request: RecordedRequest): void
  takeFault(operation: Operation): Fault | undefined
}

const MOST_RECORDED = 1_000

export function createControlState(): ControlState {
  let planned: PlannedFault[] = []
  const state: ControlState = {
    requests: [],
    script: undefined,
    fail(fault, { times = 1, at = 'generate' } = {}) {
      planned.push({ fault, left: times, at })
    },
    answerWith(script) {
      state.script = script
    },
    clear() {
      planned = []
      state.requests.length = 0
      state.script = undefined
    },
    record(request) {
      state.requests.push(request)
      if (state.requests.length > MOST_RECORDED) state.requests.shift()
    },
    takeFault(operation) {
      const generates = operation === 'generateContent' || operation === 'streamGenerateContent'
      const next = planned.find(({ at }) => at === operation || (generates && at === 'generate'))
      if (next === undefined) return undefined
      next.left--
      if (next.left <= 0) planned = planned.filter((entry) => entry !== next)
      return next.fault
    },
  }
  return state
}
