import { invalid, RpcError } from './rpc-error.ts'
import { isObject } from './strict/message.ts'
import { jsonResponse } from './wire.ts'

export interface CodeAssistAccount {
  /** Whether the account was bound to a tier before. Default true. */
  onboarded?: boolean
  /** The managed project Google gives out. Default `managed-project`; `null` gives none. */
  project?: string | null
  /** Default `standard-tier`. */
  tier?: string
  /** Polls until onboarding is done. Default 1. */
  onboardingPolls?: number
}

/** The housekeeping of Code Assist: who am I, onboarding, quota. Source: `code-assist.md` sections 3 and 4.4. */
export interface CodeAssist {
  readonly project: string | null
  load(body: unknown): Response
  onboard(body: unknown): Response
  operation(name: string): Response
  quota(body: unknown): Response
}

export function createCodeAssist({
  onboarded = true,
  project = 'managed-project',
  tier = 'standard-tier',
  onboardingPolls = 1,
}: CodeAssistAccount): CodeAssist {
  let bound = onboarded
  const running = new Map<string, number>()
  let count = 0

  function done(name: string): Response {
    bound = true
    const response = project === null ? {} : { cloudaicompanionProject: { id: project, name: project } }
    return jsonResponse({ name, done: true, response })
  }

  return {
    project,
    load(body) {
      checkMetadata(body)
      const own = { id: tier, name: 'Gemini Code Assist', isDefault: true, userDefinedCloudaicompanionProject: true }
      if (!bound) return jsonResponse({ allowedTiers: [own] })
      const managed = project === null ? {} : { cloudaicompanionProject: project }
      return jsonResponse({
        currentTier: { id: tier, name: own.name, hasOnboardedPreviously: true },
        allowedTiers: [own],
        ...managed,
      })
    },
    onboard(body) {
      checkMetadata(body)
      const fields = isObject(body) ? body : {}
      if (fields.tierId === 'free-tier' && fields.cloudaicompanionProject !== undefined) {
        throw new RpcError(400, 'FAILED_PRECONDITION', 'Precondition check failed.')
      }
      if (fields.tierId !== tier) throw invalid('Request contains an invalid argument.')
      const name = `operations/onboard-${++count}`
      if (onboardingPolls <= 0) return done(name)
      running.set(name, onboardingPolls)
      return jsonResponse({ name, done: false })
    },
    operation(name) {
      const left = running.get(name)
      if (left === undefined) throw new RpcError(404, 'NOT_FOUND', 'Requested entity was not found.')
      if (left <= 1) return done(name)
      running.set(name, left - 1)
      return jsonResponse({ name, done: false })
    },
    quota(body) {
      if (!isObject(body) || typeof body.project !== 'string') throw invalid('Request contains an invalid argument.')
      const resetTime = '2026-11-21T07:00:00Z'
      return jsonResponse({
        buckets: [
          {
            modelId: 'gemini-2.5-pro',
            tokenType: 'REQUESTS',
            remainingFraction: 0.75,
            remainingAmount: '750',
            resetTime,
          },
          { modelId: 'gemini-2.5-flash', tokenType: 'REQUESTS', remainingFraction: 1, resetTime },
        ],
      })
    },
  }
}

const PLUGIN_TYPES = new Set(['PLUGIN_UNSPECIFIED', 'CLOUD_CODE', 'GEMINI', 'AIPLUGIN_INTELLIJ', 'AIPLUGIN_STUDIO'])

function checkMetadata(body: unknown): void {
  const metadata = isObject(body) ? body.metadata : undefined
  if (!isObject(metadata)) throw invalid('Request contains an invalid argument.')
  const { pluginType } = metadata
  if (typeof pluginType !== 'string' || !PLUGIN_TYPES.has(pluginType)) {
    throw invalid(`Invalid value at 'metadata.plugin_type' (TYPE_ENUM), ${JSON.stringify(pluginType)}`)
  }
  const project = isObject(body) ? body.cloudaicompanionProject : undefined
  if (project !== undefined && metadata.duetProject !== project) throw invalid('Request contains an invalid argument.')
}
