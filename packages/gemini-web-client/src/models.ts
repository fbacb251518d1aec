import {
  GUEST_FEATURES,
  MODES,
  WEB_MODELS,
  type AccountModel,
  type AccountStatus,
  type ModelHeaderOptions,
  type ModeName,
  type WebModel,
} from '@castorjs/gemini-web-protocol'

/** A model of this account, ready to be asked for. */
export interface ChosenModel {
  /** As the page shows it, such as `3.1 Pro`. */
  displayName?: string
  header: ModelHeaderOptions
}

/** A model that the account is offered. */
export interface OfferedModel {
  /** Sixteen hex digits: works as a model name everywhere in this package. */
  id: string
  /** `fast`, `thinking`, `pro`, `auto`, `dynamic`, `lite`: works as a model name too. */
  mode?: ModeName
  /** Short label, such as `Fast`. */
  label?: string
  /** Versioned name, such as `3.1 Pro`. */
  displayName?: string
  description?: string
}

export interface ModelChoiceOptions {
  extendedThinking?: boolean
  /** Fallback line-up for an account whose list could not be read, and for guests. */
  models?: readonly WebModel[]
}

/** What is offered: the account's own list, or the fallback line-up of a free account. Guests get the small models only. */
export function offeredModels(
  status: AccountStatus | undefined,
  { models = WEB_MODELS }: Pick<ModelChoiceOptions, 'models'> = {},
): OfferedModel[] {
  if (status !== undefined && !status.guest && status.models.length > 0) return status.models.map(toOffered)
  const guest = status === undefined || status.guest
  return models
    .filter(
      (model) => !model.paid && model.slot.startsWith('free-') && (!guest || ['fast', 'lite'].includes(model.mode)),
    )
    .map((model) => {
      const displayName = model.names.at(-1)
      return { id: model.id, mode: model.mode, ...(displayName === undefined ? {} : { displayName }) }
    })
}

function toOffered({ id, label, description, mode, name }: AccountModel): OfferedModel {
  const modeName = modeNameOf(mode)
  return {
    id,
    ...(modeName === undefined ? {} : { mode: modeName }),
    ...(label === '' ? {} : { label }),
    ...(name === undefined ? {} : { displayName: name }),
    ...(description === undefined ? {} : { description }),
  }
}

function modeNameOf(mode: number | undefined): ModeName | undefined {
  return (Object.keys(MODES) as ModeName[]).find((name) => MODES[name] === mode)
}

/**
 * Chooses a model by id, mode name, label or display name, whatever the case; undefined when the account is not
 * offered it.
 */
export function chooseModel(
  wanted: string,
  status: AccountStatus | undefined,
  options: ModelChoiceOptions = {},
): ChosenModel | undefined {
  const name = wanted.trim().toLowerCase()
  const offered = offeredModels(status, options)
  const model =
    offered.find((one) => one.id === name) ??
    offered.find((one) => one.mode === name) ??
    offered.find((one) => one.displayName?.toLowerCase() === name || one.label?.toLowerCase() === name)
  if (model !== undefined) return toChosen(model, model.mode, status, options)
  // The picker offers modes that are no model of their own: the fast model, told to think.
  if (name === 'thinking' || name === 'dynamic') {
    const fast = status === undefined || status.guest ? undefined : offered.find((one) => one.mode === 'fast')
    if (fast !== undefined && hasMode(status, MODES.dynamic)) return toChosen(fast, 'dynamic', status, options)
    if (fast !== undefined) return toChosen(fast, fast.mode, status, { ...options, extendedThinking: true })
  }
  return undefined
}

function hasMode(status: AccountStatus | undefined, mode: number): boolean {
  return status?.modes.includes(mode) ?? false
}

function toChosen(
  model: OfferedModel,
  mode: ModeName | undefined,
  status: AccountStatus | undefined,
  { extendedThinking = false }: ModelChoiceOptions,
): ChosenModel {
  const guest = status === undefined || status.guest
  return {
    ...(model.displayName === undefined ? {} : { displayName: model.displayName }),
    header: {
      modelId: model.id,
      ...(mode === undefined ? {} : { mode: MODES[mode] }),
      ...(extendedThinking ? { extendedThinking } : {}),
      ...(guest ? { features: GUEST_FEATURES } : { capacity: status.capacity, capacityIndex: status.capacityIndex }),
    },
  }
}
