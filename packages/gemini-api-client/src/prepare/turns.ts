import type { Content, FunctionCall, FunctionResponse, Part } from '@castorjs/content-generator'
import type { ModelRules } from '../model-rules.ts'

const CONTINUE = 'Continue your previous message exactly where it stopped, without repeating any of it.'

/**
 * Puts turns into the order Google demands: a user first, neighbours of one role together, each turn of calls
 * followed at once by exactly its results in the order of the calls. Empty texts and thoughts of old answers go;
 * signed parts stay as they are and where they are. Source: `gemini-api.md` section 3, `dialects.md` 6.1.
 */
export function prepareTurns(given: readonly Content[], rules: ModelRules): Content[] {
  const turns: Content[] = []
  let waiting: FunctionCall[] = []

  function add(role: string, parts: Part[]): void {
    if (parts.length > 0) turns.push({ role, parts })
  }

  function addResults(results: FunctionResponse[]): Part[] {
    const left = [...results]
    const media: Part[] = []
    const parts = waiting.map((call): Part => {
      const result = takeResult(left, call) ?? { name: call.name, response: { error: 'no result was provided' } }
      const { parts: pictures = [], ...plain } = result
      const answer: FunctionResponse = { ...plain, name: call.name, ...(call.id === undefined ? {} : { id: call.id }) }
      if (rules.mediaInResults && pictures.length > 0) return { functionResponse: { ...answer, parts: pictures } }
      media.push(...pictures)
      return { functionResponse: answer }
    })
    waiting = []
    add('user', parts)
    return [...media, ...left.map(toText)]
  }

  for (const { role, parts } of mergeNeighbours(given.flatMap(byWhoSpeaks))) {
    if (role === 'model') {
      const kept = parts.filter(isWorthReplaying)
      if (waiting.length > 0) add('user', addResults([]))
      if (turns.length === 0 && kept.length > 0) add('user', [{ text: '.' }])
      add('model', kept)
      waiting = kept.flatMap(({ functionCall }) => functionCall ?? [])
      continue
    }
    const results = parts.flatMap(({ functionResponse }) => functionResponse ?? [])
    const rest = parts.filter((part) => part.functionResponse === undefined && !isEmptyText(part))
    add('user', [...addResults(results), ...rest])
  }
  if (waiting.length > 0) addResults([])
  if (turns.at(-1)?.role === 'model' && !rules.prefill) add('user', [{ text: CONTINUE }])
  return mergeNeighbours(turns, hasResults)
}

/** Calls are the model's and results the user's, whatever the turn says that holds them. */
function byWhoSpeaks({ role, parts = [] }: Content): Content[] {
  const own = role === 'model' ? 'model' : 'user'
  return parts.map((part) => {
    const speaker = part.functionResponse !== undefined ? 'user' : part.functionCall !== undefined ? 'model' : own
    return { role: speaker, parts: [part] }
  })
}

/** Turns of one role in a row become one, parts in order; not those that `apart` holds of. */
function mergeNeighbours(
  turns: readonly Content[],
  apart: (turn: Content) => boolean = () => false,
): { role: string; parts: Part[] }[] {
  const merged: { role: string; parts: Part[] }[] = []
  for (const turn of turns) {
    const role = turn.role === 'model' ? 'model' : 'user'
    const last = merged.at(-1)
    if (last?.role === role && !apart(last) && !apart(turn)) last.parts.push(...(turn.parts ?? []))
    else merged.push({ role, parts: [...(turn.parts ?? [])] })
  }
  return merged
}

/** The result of a call, by id, else by name, taken out of the list. */
function takeResult(results: FunctionResponse[], { id, name }: FunctionCall): FunctionResponse | undefined {
  let at = id === undefined ? -1 : results.findIndex((result) => result.id === id)
  if (at === -1)
    at = results.findIndex((result) => result.name === name && (id === undefined || result.id === undefined))
  return at === -1 ? undefined : results.splice(at, 1)[0]
}

function toText({ name, response }: FunctionResponse): Part {
  return { text: `Tool result (${name}): ${JSON.stringify(response)}` }
}

function isWorthReplaying(part: Part): boolean {
  if (part.thoughtSignature !== undefined) return true
  return part.thought !== true && !isEmptyText(part)
}

function isEmptyText(part: Part): boolean {
  return part.text === '' && part.thoughtSignature === undefined
}

function hasResults({ parts = [] }: Content): boolean {
  return parts.some(({ functionResponse }) => functionResponse !== undefined)
}
