import { declarationsOf, type FunctionDeclaration, type GenerateRequest, type Part } from '../request.ts'
import { createSignature } from '../rules/signatures.ts'
import { exampleValue } from './example-value.ts'

const MOST_CALLS = 8

let count = 0

/**
 * The calls this model makes for a prompt: every function whose name, or a longer word of it, is in the prompt;
 * with mode `ANY` the first allowed one at least. One call per place named, if the function is alone
 * ("weather in Oslo and Paris").
 */
export function decideCalls(request: GenerateRequest, prompt: string, model: string, generation: number): Part[] {
  const { mode = 'AUTO', allowedFunctionNames } = request.toolConfig?.functionCallingConfig ?? {}
  if (mode === 'NONE') return []
  const allowed = declarationsOf(request).filter(
    ({ name = '' }) => allowedFunctionNames === undefined || allowedFunctionNames.includes(name),
  )
  let chosen = allowed.filter((declaration) => isMentioned(declaration, prompt))
  if (chosen.length === 0 && mode === 'ANY') chosen = allowed.slice(0, 1)
  const places = namesIn(prompt)
  const calls = chosen.length === 1 && places.length > 1 ? places.map(() => chosen[0]) : chosen
  return calls.slice(0, MOST_CALLS).map((declaration, index) => {
    const { name = '', parameters, parametersJsonSchema } = declaration ?? {}
    const schema = parametersJsonSchema ?? parameters
    const words = places.length === 0 ? [] : [places[index % places.length] ?? '']
    const args = schema === undefined ? {} : exampleValue(schema, words)
    const id = generation < 3 ? {} : { id: `fc-${++count}` }
    const part: Part = { functionCall: { ...id, name, args: args as Record<string, unknown> } }
    // Only the first of parallel calls is signed.
    if (generation >= 3 && index === 0) part.thoughtSignature = createSignature(model)
    return part
  })
}

function isMentioned({ name = '' }: FunctionDeclaration, prompt: string): boolean {
  const text = prompt.toLowerCase()
  if (text.includes(name.toLowerCase())) return true
  const words = name.split(/[^A-Za-z]+|(?<=[a-z])(?=[A-Z])/).filter((word) => word.length > 4)
  return words.some((word) => word !== 'current' && text.includes(word.toLowerCase()))
}

/** Capitalised words inside a sentence: places and people. */
function namesIn(prompt: string): string[] {
  return [...new Set([...prompt.matchAll(/(?<=[a-z,] )[A-Z][a-z]+/g)].map(([word]) => word))]
}
