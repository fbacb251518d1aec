import { refusesPrefill, type Content, type Part, type Warning } from '@castorjs/content-generator'
import { encodeResult, takesMediaInResults, type Call, type Step } from './messages.ts'

export interface Turns {
  contents: Content[]
  systemInstruction: Content | undefined
  warnings: Warning[]
}

type Result = Extract<Step, { type: 'result' }>

const CONTINUE = 'Continue your previous message exactly where it stopped, without repeating any of it.'

/**
 * Puts messages into turns Gemini accepts: system texts together, neighbours of one role in one turn, every
 * turn of calls followed at once by exactly its results in the order of the calls.
 * Source: `dialects.md` section 6.1, rows 8 to 11 and 23 to 26.
 */
export function orderTurns(steps: readonly Step[], model: string): Turns {
  const turns = createTurns()
  const results = createResults(steps)
  const system: Part[] = []
  let pictures: Part[] = []

  for (const [index, step] of steps.entries()) {
    switch (step.type) {
      case 'system':
        if (step.text !== '') system.push({ text: step.text })
        break
      case 'user':
        turns.add('user', [...pictures, ...step.parts])
        pictures = []
        break
      case 'assistant': {
        pictures.push(...step.pictures)
        turns.add('model', [...step.parts, ...step.calls.map(encodeCall)])
        if (step.calls.length === 0) break
        const found = step.calls.map((call) => results.take(call, index))
        turns.addResults(step.calls.map((call, at) => encodeResult(call, found[at], model)))
        const media = found.flatMap((result) => result?.media ?? [])
        if (media.length > 0 && !takesMediaInResults(model)) turns.add('user', media)
        break
      }
      case 'result':
        if (!results.isTaken(step)) {
          const name = step.name === undefined ? '' : ` (${step.name})`
          turns.add('user', [{ text: `Tool result${name}: ${step.text}` }, ...step.media])
        }
        break
    }
  }

  const { contents } = turns
  if (contents.length === 0) {
    // Only instructions, no question: the last of them is the question.
    const last = system.pop()
    if (last !== undefined) turns.add('user', [last])
  }
  if (contents[0]?.role === 'model') contents.unshift({ role: 'user', parts: [{ text: '.' }] })
  const warnings: Warning[] = []
  if (contents.at(-1)?.role === 'model' && refusesPrefill(model)) {
    turns.add('user', [{ text: CONTINUE }])
    warnings.push({
      setting: 'messages',
      message: 'This model cannot go on from a last assistant message; it was asked to continue that message instead.',
    })
  }
  return { contents, systemInstruction: system.length === 0 ? undefined : { parts: system }, warnings }
}

function encodeCall({ id, name, arguments: args, signature }: Call): Part {
  return {
    functionCall: { ...(id === undefined ? {} : { id }), name, args },
    ...(signature === undefined ? {} : { thoughtSignature: signature }),
  }
}

/** A growing conversation that merges neighbours, but never into a turn of results. */
function createTurns() {
  const contents: Content[] = []
  let sealed = false
  return {
    contents,
    add(role: 'user' | 'model', parts: Part[]): void {
      if (parts.length === 0) return
      const last = contents.at(-1)
      if (last?.role === role && !sealed) last.parts?.push(...parts)
      else contents.push({ role, parts: [...parts] })
      sealed = false
    },
    addResults(parts: Part[]): void {
      contents.push({ role: 'user', parts })
      sealed = true
    },
  }
}

/** Results by the call they answer. Each is used once; ids may repeat over a conversation. */
function createResults(steps: readonly Step[]) {
  const taken = new Set<Result>()
  const waiting = new Map<string, { step: Result; index: number }[]>()
  for (const [index, step] of steps.entries()) {
    if (step.type !== 'result') continue
    const key = step.id === undefined ? `name ${step.name}` : `id ${step.id}`
    const queue = waiting.get(key)
    if (queue === undefined) waiting.set(key, [{ step, index }])
    else queue.push({ step, index })
  }

  function takeFirst(key: string, after: number): Result | undefined {
    const queue = waiting.get(key) ?? []
    // What came before this call comes before every later one too.
    while ((queue[0]?.index ?? after) < after) queue.shift()
    return queue.shift()?.step
  }

  return {
    isTaken: (step: Result) => taken.has(step),
    /** The first unused result after the call: by id, or by name where a client sends no ids. */
    take(call: Call, after: number): Result | undefined {
      const byId = call.id === undefined ? undefined : takeFirst(`id ${call.id}`, after)
      const result = byId ?? takeFirst(`name ${call.name}`, after)
      if (result !== undefined) taken.add(result)
      return result
    },
  }
}
