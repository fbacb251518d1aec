import { readModelFamily, refusesPrefill } from '@castorjs/content-generator'

/** What a model takes. Source: `gemini-api.md` sections 2, 3.2, 4 and 8. */
export interface ModelRules {
  kind: 'text' | 'image' | 'speech'
  /** Range of `thinkingBudget` in tokens; `off` where 0 is taken too. */
  budget?: { min: number; max: number; off: boolean }
  /** Levels of `thinkingLevel` it takes, lowest first. */
  levels?: readonly string[]
  /** Takes `temperature`, `topP`, `topK`. */
  sampling: boolean
  /** A conversation may end with a model turn. */
  prefill: boolean
  /** Checks the signatures of calls in the current turn. */
  signatures: boolean
  /** Takes functions beside server tools, and beside a JSON format. */
  mixing: boolean
  /** Takes media inside function results. */
  mediaInResults: boolean
  maxCandidates: number
  maxOutputTokens: number
  /** Takes `imageConfig.imageSize`. */
  imageSize: boolean
}

/** Rules of models whose name starts so; the first row that fits wins over what the family says. */
export interface ModelRuleRow extends Partial<ModelRules> {
  prefix: string
}

const LOW_UP = ['LOW', 'MEDIUM', 'HIGH']
const ALL_LEVELS = ['MINIMAL', ...LOW_UP]

/** What names alone do not tell. Rows an operator adds go first. */
export const MODEL_RULES: readonly ModelRuleRow[] = [
  { prefix: 'gemini-2.5-pro', budget: { min: 128, max: 32_768, off: false } },
  { prefix: 'gemini-2.5-flash-lite', budget: { min: 512, max: 24_576, off: true } },
  { prefix: 'gemini-2.5-flash-image', imageSize: false },
  { prefix: 'gemini-2.5-flash', budget: { min: 1, max: 24_576, off: true } },
  { prefix: 'gemini-3-pro', levels: ['LOW', 'HIGH'] },
  { prefix: 'gemini-3-flash', levels: ALL_LEVELS },
  { prefix: 'gemini-3.1-flash-lite', levels: ALL_LEVELS },
  { prefix: 'gemini-3.5-flash-lite', levels: ALL_LEVELS },
]

/** The rules for a model: its row, and for the rest what its generation implies. Unknown names count as current models. */
export function readModelRules(model: string, rows: readonly ModelRuleRow[] = MODEL_RULES): ModelRules {
  const family = readModelFamily(model)
  const generation = model.includes('nano-banana') ? 3 : (family?.generation ?? 3.8)
  const old = generation < 3
  const speech = /-tts\b/.test(model)
  const kind = speech ? 'speech' : family?.media === true || /image|banana/.test(model) ? 'image' : 'text'
  const thinks = kind === 'text' && generation >= 2.5
  const { prefix: _, ...row } = rows.find(({ prefix }) => model.startsWith(prefix)) ?? { prefix: '' }
  const rules: ModelRules = {
    kind,
    sampling: old,
    prefill: !refusesPrefill(model),
    signatures: !old,
    mixing: !old,
    mediaInResults: !old,
    maxCandidates: old ? 8 : 1,
    maxOutputTokens: kind === 'image' ? 32_768 : 65_536,
    imageSize: true,
    ...(thinks && !old ? { levels: LOW_UP } : {}),
    ...row,
  }
  if (thinks) return rules
  // A row of the family may not give a picture model thoughts.
  const { budget: __, levels: ___, ...silent } = rules
  return silent
}

const THINKING = '-thinking'

/** Takes the `-thinking` suffix of the reference documents off a model name. */
export function readThinkingSuffix(model: string): { model: string; thinking: boolean } {
  const plain = model.startsWith('models/') ? model.slice('models/'.length) : model
  if (!plain.endsWith(THINKING)) return { model: plain, thinking: false }
  return { model: plain.slice(0, -THINKING.length), thinking: true }
}
