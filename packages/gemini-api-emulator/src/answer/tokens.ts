import type { EmulatedModel } from '../models.ts'
import type { GenerateRequest, Part, Turn } from '../request.ts'

/** Tokens of parts: a quarter of the text, 258 per file. */
export function countParts(parts: readonly Part[]): number {
  let tokens = 0
  for (const part of parts) {
    if (part.text !== undefined) tokens += Math.ceil(part.text.length / 4)
    else if (part.inlineData !== undefined || part.fileData !== undefined) tokens += 258
    else tokens += Math.ceil(JSON.stringify(part).length / 4)
  }
  return tokens
}

/** Tokens of a whole prompt, system text and tools included. */
export function countRequest({ contents = [], systemInstruction, tools }: GenerateRequest): number {
  const turns: Turn[] = systemInstruction === undefined ? contents : [systemInstruction, ...contents]
  const words = turns.reduce((sum, turn) => sum + countParts(turn.parts ?? []), 0)
  return words + (tools === undefined ? 0 : Math.ceil(JSON.stringify(tools).length / 4))
}

/** Tokens this request makes the model think, whether or not it shows them. */
export function countThoughts({ generationConfig }: GenerateRequest, model: EmulatedModel): number {
  if (model.kind !== 'text') return 0
  const { thinkingBudget, thinkingLevel } = generationConfig?.thinkingConfig ?? {}
  if (thinkingBudget === 0) return 0
  if (thinkingLevel === 'MINIMAL') return 4
  return thinkingLevel === 'HIGH' ? 96 : 32
}
