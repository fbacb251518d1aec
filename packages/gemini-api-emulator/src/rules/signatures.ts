import type { EmulatedModel } from '../models.ts'
import type { GenerateRequest } from '../request.ts'
import { invalid } from '../rpc-error.ts'
import { isModel } from './turns.ts'

/** Strings that stand for a signature nobody has. Source: `gemini-api.md` section 4.1. */
const SENTINELS = new Set(['skip_thought_signature_validator', 'context_engineering_is_the_way_to_go'])

let count = 0

/** A fresh signature that only this model's emulator recognises. */
export function createSignature(model: string): string {
  const text = `castor-emulator/${model}/${++count}`
  return btoa(`${text}/${checksum(text)}`)
}

/**
 * From generation 3 on: in the current turn the first call of each model turn must carry a signature, and every
 * signature there must be this model's own, unchanged. Older turns are not looked at.
 *
 * @param answering The model that really answers.
 * @throws {RpcError} 400.
 */
export function checkSignatures({ contents = [] }: GenerateRequest, model: EmulatedModel, answering: string): void {
  if (model.generation < 3) return
  const start = contents.findLastIndex((turn) => {
    return !isModel(turn) && turn.parts?.some((part) => part.functionResponse === undefined) === true
  })
  contents.forEach((turn, index) => {
    if (index <= start || !isModel(turn)) return
    const first = turn.parts?.find((part) => part.functionCall !== undefined)
    if (first !== undefined && first.thoughtSignature === undefined) {
      throw invalid(
        `Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call \`default_api:${first.functionCall?.name}\` , position ${index + 1}. Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.`,
      )
    }
    for (const { thoughtSignature } of turn.parts ?? []) {
      if (thoughtSignature === undefined || SENTINELS.has(thoughtSignature)) continue
      if (!isOurs(thoughtSignature, answering)) throw invalid('Corrupted thought signature.')
    }
  })
}

function isOurs(signature: string, model: string): boolean {
  let text: string
  try {
    text = atob(signature)
  } catch {
    return false
  }
  const end = text.lastIndexOf('/')
  const body = text.slice(0, end)
  return body.startsWith(`castor-emulator/${model}/`) && text.slice(end + 1) === checksum(body)
}

function checksum(text: string): string {
  let hash = 2_166_136_261
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 16_777_619)
  return (hash >>> 0).toString(36)
}
