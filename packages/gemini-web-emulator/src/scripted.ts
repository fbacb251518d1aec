import { ControlError } from './settings.ts'

/** An answer put there by a test, used instead of the emulator's own. */
export interface ScriptedAnswer {
  text?: string
  thoughts?: string
  /** Text snapshots exactly as sent; the last one is the answer. They may contradict each other. */
  snapshots?: string[]
  title?: string
  /** Only for prompts that contain this text. */
  match?: string
  /** Only for this account (`guest` for guests). */
  account?: string
  /** Prompts it answers. Default 1; 0 means until it is removed. */
  times?: number
}

export interface ScriptedAnswers {
  readonly pending: readonly ScriptedAnswer[]
  add(answer: ScriptedAnswer): void
  clear(): void
  take(prompt: string, account: string): ScriptedAnswer | undefined
}

export function createScriptedAnswers(): ScriptedAnswers {
  let waiting: Array<{ answer: ScriptedAnswer; left: number }> = []
  return {
    get pending() {
      return waiting.map(({ answer }) => answer)
    },
    add(answer) {
      const times = answer.times ?? 1
      waiting.push({ answer, left: times === 0 ? Infinity : times })
    },
    clear() {
      waiting = []
    },
    take(prompt, account) {
      const entry = waiting.find(
        ({ answer }) =>
          (answer.match === undefined || prompt.includes(answer.match)) && (answer.account ?? account) === account,
      )
      if (entry === undefined) return undefined
      entry.left--
      if (entry.left <= 0) waiting = waiting.filter((other) => other !== entry)
      return entry.answer
    },
  }
}

/** Checks an answer that came as JSON. @throws {ControlError} naming the field. */
export function readScriptedAnswer(value: unknown): ScriptedAnswer {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ControlError('answer', 'An answer must be an object with text or snapshots')
  const known = ['text', 'thoughts', 'snapshots', 'title', 'match', 'account', 'times']
  for (const [field, given] of Object.entries(value)) {
    if (!known.includes(field))
      throw new ControlError(field, `An answer has no field ${field}. Known: ${known.join(', ')}`)
    if (field === 'times') {
      if (typeof given !== 'number' || !Number.isInteger(given) || given < 0)
        throw new ControlError(field, 'times must be a whole number from 0')
    } else if (field === 'snapshots') {
      if (!Array.isArray(given) || given.length === 0 || !given.every((item) => typeof item === 'string'))
        throw new ControlError(field, 'snapshots must be a list of texts')
    } else if (typeof given !== 'string') throw new ControlError(field, `${field} must be a text`)
  }
  const answer = value as ScriptedAnswer
  if (answer.text === undefined && answer.snapshots === undefined)
    throw new ControlError('text', 'An answer needs text or snapshots')
  return answer
}
