import { readUpstreamCode } from '@castorjs/content-generator'
import { readDuration } from './duration.ts'

/** What Google's error envelope says, as far as anything follows from it. */
export interface GoogleError {
  /** HTTP status. */
  status: number
  /** Canonical status such as `RESOURCE_EXHAUSTED`; empty when the body was none of Google's JSON, or had text there. */
  rpc: string
  /** Google's own words. To be matched, never to be shown or logged. */
  message: string
  /** `reason` of the first ErrorInfo, such as `API_KEY_INVALID`; empty when it is no code. */
  reason: string
  /** `metadata` of the first ErrorInfo. */
  metadata: Record<string, unknown>
  /** Ids of the quotas that were hit, and their values. */
  quotas: { id: string; value: string }[]
  /** `RetryInfo.retryDelay`, in milliseconds. */
  retryDelayMs: number | undefined
  /** First link of a Help detail. */
  helpUrl: string | undefined
}

/**
 * Reads an error body: the envelope, an array holding it, or anything else a front end sends.
 *
 * @param status HTTP status; a late error inside a stream brings its own.
 */
export function readGoogleError(status: number, body: string): GoogleError {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    parsed = undefined
  }
  return toGoogleError(status, parsed)
}

/** The same of a body that is parsed already. */
export function toGoogleError(status: number, body: unknown): GoogleError {
  const envelope = asObject(Array.isArray(body) ? body[0] : body)
  const error = asObject(envelope.error)
  const details = (Array.isArray(error.details) ? error.details : []).map(asObject)
  const of = (type: string): Record<string, unknown>[] => {
    return details.filter((detail) => asText(detail['@type']).endsWith(`google.rpc.${type}`))
  }
  const [info = {}] = of('ErrorInfo')
  const [retry = {}] = of('RetryInfo')
  const [help = {}] = of('Help')
  const links = Array.isArray(help.links) ? help.links : []
  const violations = of('QuotaFailure').flatMap(({ violations: list }): unknown[] => (Array.isArray(list) ? list : []))
  const helpUrl = asText(asObject(links[0]).url)
  return {
    status: typeof error.code === 'number' && error.code >= 400 ? error.code : status,
    rpc: asCode(error.status),
    message: asText(error.message),
    reason: asCode(info.reason),
    metadata: asObject(info.metadata),
    quotas: violations
      .map(asObject)
      .map(({ quotaId, quotaValue }) => ({ id: asText(quotaId), value: asText(quotaValue) })),
    retryDelayMs: readDuration(asText(retry.retryDelay)),
    helpUrl: helpUrl === '' ? undefined : helpUrl,
  }
}

/**
 * The true wait, in the order of trust: `RetryInfo`, `quotaResetDelay`, `quotaResetTimeStamp`, the sentence.
 *
 * @returns Milliseconds; undefined when nothing was said.
 */
export function readWait(error: GoogleError, now: number): number | undefined {
  if (error.retryDelayMs !== undefined) return error.retryDelayMs
  const delay = readDuration(asText(error.metadata.quotaResetDelay))
  if (delay !== undefined) return delay
  const reset = Date.parse(asText(error.metadata.quotaResetTimeStamp))
  if (!Number.isNaN(reset)) return Math.max(0, reset - now)
  const words = /(?:retry in|reset after|after) ((?:\d+(?:\.\d+)?(?:h|ms|us|µs|ns|m|s))+)/.exec(error.message)?.[1]
  return words === undefined ? undefined : readDuration(words)
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

function asCode(value: unknown): string {
  return readUpstreamCode(asText(value)) ?? ''
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
