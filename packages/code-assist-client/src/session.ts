import { GenerationError, isGenerationError } from '@castorjs/content-generator'
import { CodeAssistAccountError, notServed } from './account-error.ts'
import type { CodeAssistApi } from './api.ts'
import { orAbort } from './or-abort.ts'

/** What Code Assist knows of an account. */
export interface AccountInfo {
  /** Project that requests are made in. */
  project: string
  /** Id of the tier, such as `standard-tier`; the paid one if there is one. */
  tier: string
}

/** Finds out which project an account works in; binds a new account to its tier. */
export interface Session {
  /** @throws {GenerationError} `upstream_auth` when Google does not serve the account; if that is final, without asking again. */
  account(signal: AbortSignal): Promise<AccountInfo>
  /** Forgets the project, for the next request to look again. */
  forget(): void
}

export interface SessionOptions {
  /** Project the operator configured. */
  project: string | undefined
  label: string
  wait: (ms: number, signal: AbortSignal) => Promise<void>
}

const METADATA = { ideType: 'IDE_UNSPECIFIED', platform: 'PLATFORM_UNSPECIFIED', pluginType: 'GEMINI' }
const POLL_MS = 5_000
/** Polls of the onboarding operation: a minute in all. */
const MOST_POLLS = 12

/**
 * Source: `code-assist.md` section 3, decision table 3.2.
 *
 * @throws {GenerationError} `upstream_auth` for a project number where an id belongs.
 */
export function createSession(api: CodeAssistApi, { project: configured, label, wait }: SessionOptions): Session {
  if (configured !== undefined && /^\d+$/.test(configured)) {
    throw new GenerationError(
      'upstream_auth',
      'The Google Cloud project of Code Assist must be given by its id, not by its number.',
    )
  }
  let found: AccountInfo | undefined
  let finding: Promise<AccountInfo> | undefined
  let refused: GenerationError | undefined

  async function find(): Promise<AccountInfo> {
    // Not a caller's signal: others wait for this too.
    const signal = AbortSignal.timeout(120_000)
    const response = await api.send(':loadCodeAssist', withProject({ metadata: METADATA }, configured), signal)
    if ('refusal' in response) {
      // Behind VPC service controls the question is forbidden, but the account is a paying one.
      if (response.refusal.reason !== 'SECURITY_POLICY_VIOLATED') throw api.toError(response.refusal)
      return { project: configured ?? missingProject(), tier: 'standard-tier' }
    }
    const answer = asObject(await response.json(1_000_000))
    if (Object.keys(answer).length === 0) {
      throw new GenerationError('protocol_drift', 'Code Assist said nothing about the account.')
    }
    const current = asObject(answer.currentTier)
    const ineligible = (Array.isArray(answer.ineligibleTiers) ? answer.ineligibleTiers : []).map(asObject)
    const project = readProject(answer.cloudaicompanionProject)
    if (typeof current.id !== 'string') {
      // One that a person can put right comes before those that nobody can.
      const first = ineligible.find(({ validationUrl }) => asText(validationUrl) !== '') ?? ineligible[0]
      if (first !== undefined) throw toNotServed(first)
      return onboard(answer, signal)
    }
    const tier = asText(asObject(answer.paidTier).id) || current.id
    if (project !== undefined) return { project, tier }
    if (configured !== undefined) return { project: configured, tier }
    const [first] = ineligible
    if (first !== undefined) throw toNotServed(first)
    return { project: missingProject(), tier }
  }

  function toNotServed(tier: Record<string, unknown>): GenerationError {
    const link = asText(tier.validationUrl)
    return notServed(label, {
      reasonCode: asText(tier.reasonCode),
      reasonMessage: asText(tier.reasonMessage),
      link: link === '' ? undefined : link,
    })
  }

  async function onboard(answer: Record<string, unknown>, signal: AbortSignal): Promise<AccountInfo> {
    const tiers = (Array.isArray(answer.allowedTiers) ? answer.allowedTiers : []).map(asObject)
    const tier = asText(tiers.find(({ isDefault }) => isDefault === true)?.id) || 'legacy-tier'
    // The free tier refuses a request that names a project.
    const body = withProject({ tierId: tier, metadata: METADATA }, tier === 'free-tier' ? undefined : configured)
    let operation = await api.json(':onboardUser', body, signal)
    for (let poll = 0; operation.done !== true; poll++) {
      const name = asText(operation.name)
      if (poll === MOST_POLLS || name === '') {
        throw new GenerationError(
          'upstream_timeout',
          'Code Assist did not finish setting the account up. Try again in a minute.',
        )
      }
      await wait(POLL_MS, signal)
      operation = await api.json(`/${name}`, undefined, signal)
    }
    const project = readProject(asObject(operation.response).cloudaicompanionProject) ?? configured
    return { project: project ?? missingProject(), tier }
  }

  return {
    async account(signal) {
      if (refused !== undefined) throw refused
      if (found !== undefined) return found
      finding ??= find().finally(() => (finding = undefined))
      try {
        found = await orAbort(finding, signal)
        return found
      } catch (error) {
        if (isFinal(error)) refused = error
        throw error
      }
    },
    forget: () => (found = undefined),
  }
}

/** True for what no retry and no click can change. */
function isFinal(error: unknown): error is GenerationError {
  if (!isGenerationError(error)) return false
  return error.cause instanceof CodeAssistAccountError && error.cause.reasonCode !== 'VALIDATION_REQUIRED'
}

function missingProject(): never {
  throw new GenerationError(
    'upstream_auth',
    'Code Assist gives this account no project. Configure the id of a Google Cloud project for it.',
  )
}

function withProject(body: { metadata: Record<string, string>; tierId?: string }, project: string | undefined): object {
  if (project === undefined) return body
  return { ...body, cloudaicompanionProject: project, metadata: { ...body.metadata, duetProject: project } }
}

/** A string, or an object with an id: both were seen. */
function readProject(value: unknown): string | undefined {
  const id = typeof value === 'string' ? value : asText(asObject(value).id)
  return id === '' ? undefined : id
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
