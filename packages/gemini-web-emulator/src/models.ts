import { OTHER_MODEL_IDS, findWebModel, type WebModel } from '@castorjs/gemini-web-protocol'
import type { Tier } from './accounts.ts'

/** A model that answers. */
export interface ServedModel {
  id: string
  /** Display name, as index 42 of a reply shows it. */
  name: string
  mode: string
}

const FREE = ['free-lite', 'free-flash', 'free-thinking', 'free-pro']
const PAID = ['paid-lite', 'paid-flash', 'paid-thinking', 'paid-pro']

/** Models of an account's list, in the order of the page. */
export function modelsOf(tier: Tier | 'guest'): WebModel[] {
  const slots = tier === 'guest' ? ['free-lite'] : tier === 'free' ? FREE : PAID
  return slots.map((slot) => findWebModel(slot)).filter((model) => model !== undefined)
}

/** Whether the server knows an id at all; an unknown one is refusal 1052. */
export function isKnownModelId(id: string): boolean {
  return findWebModel(id) !== undefined || OTHER_MODEL_IDS.includes(id)
}

/**
 * The model that answers. Guests get Flash-Lite whatever they ask for; who asks for more than the
 * account has gets Flash, without any error. Source: fact sheet §1.7, §13.1.
 */
export function serveModel({
  requestedId,
  tier,
  override,
}: {
  requestedId: string | undefined
  tier: Tier | 'guest'
  override: string | null
}): ServedModel {
  const forced = override === null ? undefined : findWebModel(override)
  if (forced !== undefined) return served(forced)
  const lite = findWebModel('free-lite') as WebModel
  if (tier === 'guest') return served(lite)
  const flash = findWebModel(tier === 'free' ? 'free-flash' : 'paid-flash') as WebModel
  const wanted = requestedId === undefined ? flash : (findWebModel(requestedId) ?? flash)
  if (wanted.paid && tier === 'free') return served(flash)
  if (FREE.includes(wanted.slot) || PAID.includes(wanted.slot)) return served(wanted)
  // Older ids point at what took their place.
  return served(modelsOf(tier).find((model) => model.mode === wanted.mode) ?? flash)
}

function served(model: WebModel): ServedModel {
  return { id: model.id, name: model.names.at(-1) ?? model.slot, mode: model.mode }
}
