import { RPC } from './rpc-error.ts'

/** Something that goes wrong, once or several times, at a method. */
export type Fault =
  /** An error before the first byte. `array` wraps the body as streaming methods often do. */
  | { kind: 'error'; code: number; status: string; message: string; details?: readonly unknown[]; array?: boolean }
  /** An OAuth error: `{"error":"invalid_grant"}`. */
  | { kind: 'oauth-error'; code: number; error: string }
  /** A page of the front end instead of JSON. */
  | { kind: 'html'; code: number }
  /** An error as a chunk, after some chunks with status 200. */
  | { kind: 'late-error'; code: number; status: string; message: string; afterChunks?: number }
  /** The connection breaks after some chunks; after none it breaks before the headers. */
  | { kind: 'reset'; afterChunks?: number }
  /** The body ends in order, but without a finish reason. */
  | { kind: 'truncate'; afterChunks?: number }
  /** Never a word. */
  | { kind: 'silent' }
  /** Some chunks, then silence. */
  | { kind: 'stall'; afterChunks?: number }
  /** A candidate that only has this finish reason. */
  | { kind: 'finish'; finishReason: string; finishMessage?: string; candidate?: Record<string, unknown> }
  /** A refused prompt: status 200 without candidates. */
  | { kind: 'blocked'; blockReason: string }
  /** Any JSON body with status 200. */
  | { kind: 'json'; body: unknown }

const info = (reason: string, metadata: Record<string, string> = {}, domain = 'googleapis.com'): object => ({
  '@type': `${RPC}ErrorInfo`,
  reason,
  domain,
  metadata,
})
const retryInfo = (retryDelay: string): object => ({ '@type': `${RPC}RetryInfo`, retryDelay })
const quota = (quotaId: string, quotaValue: string): object => ({
  '@type': `${RPC}QuotaFailure`,
  violations: [{ quotaMetric: 'generativelanguage.googleapis.com/generate_requests', quotaId, quotaValue }],
})

function error(
  code: number,
  status: string,
  message: string,
  details: readonly unknown[] = [],
): Fault & { kind: 'error' } {
  return { kind: 'error', code, status, message, details }
}

const exhausted = (message: string, details: readonly unknown[] = []): Fault & { kind: 'error' } =>
  error(429, 'RESOURCE_EXHAUSTED', message, details)

/** Faults as they were seen. Source: `gemini-api.md` section 11, `code-assist.md` section 6. */
export const faults = {
  /** Per-minute quota; the wait is a Go duration, in `RetryInfo`. */
  perMinute: (retryDelay: string) =>
    exhausted(`You exceeded your current quota. Please retry in ${retryDelay}.`, [
      quota('GenerateRequestsPerMinutePerProjectPerModel-FreeTier', '10'),
      retryInfo(retryDelay),
    ]),
  /** The wait stands in the sentence alone. */
  perMinuteInText: (wait: string) => exhausted(`You exceeded your current quota. Please retry in ${wait}.`),
  /** Per-day quota, whose `retryDelay` is not to be believed. */
  perDay: (retryDelay = '12s') =>
    exhausted('You exceeded your current quota, please check your plan and billing details.', [
      quota('GenerateRequestsPerDayPerProjectPerModel-FreeTier', '250'),
      retryInfo(retryDelay),
    ]),
  /** A model without free tier: permanent. */
  noFreeTier: () =>
    exhausted('You exceeded your current quota. * Quota exceeded, limit: 0', [
      quota('GenerateRequestsPerDayPerProjectPerModel-FreeTier', '0'),
      retryInfo('30s'),
    ]),
  bareExhausted: () => exhausted('Resource has been exhausted (e.g. check quota).'),
  unavailable: () => error(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.'),
  internal: () => error(500, 'INTERNAL', 'An internal error has occurred.'),
  deadline: () => error(504, 'DEADLINE_EXCEEDED', 'Deadline expired before operation could complete.'),
  region: () => error(400, 'FAILED_PRECONDITION', 'User location is not supported for the API use.'),
  leakedKey: () => error(403, 'PERMISSION_DENIED', 'Your API key was reported as leaked. Please use another API key.'),
  serviceDisabled: () =>
    error(
      403,
      'PERMISSION_DENIED',
      'Generative Language API has not been used in project 1 before or it is disabled.',
      [
        info('SERVICE_DISABLED', {
          service: 'generativelanguage.googleapis.com',
          activationUrl: 'https://console.example/',
        }),
      ],
    ),
  invalidSignature: () => error(400, 'INVALID_ARGUMENT', 'Corrupted thought signature.'),
  tooLong: () =>
    error(
      400,
      'INVALID_ARGUMENT',
      'The input token count (1100000) exceeds the maximum number of tokens allowed (1048576).',
    ),
  unknownName: (name: string) =>
    error(400, 'INVALID_ARGUMENT', `Invalid JSON payload received. Unknown name "${name}": Cannot find field.`),
  lateUnavailable: (afterChunks = 1): Fault => ({
    kind: 'late-error',
    code: 503,
    status: 'UNAVAILABLE',
    message: 'The model is overloaded. Please try again later.',
    afterChunks,
  }),
  malformedCall: (): Fault => ({
    kind: 'finish',
    finishReason: 'MALFORMED_FUNCTION_CALL',
    finishMessage: 'Malformed function call: print(default_api.f(',
  }),
  empty: (): Fault => ({ kind: 'finish', finishReason: 'STOP' }),
  invalidGrant: (): Fault => ({ kind: 'oauth-error', code: 400, error: 'invalid_grant' }),
  invalidClient: (): Fault => ({ kind: 'oauth-error', code: 401, error: 'invalid_client' }),
  unauthenticated: () => error(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.'),
  /** Code Assist: the allotment of a day or week is gone. */
  allotmentGone: (quotaResetDelay: string, quotaResetTimeStamp: string) =>
    exhausted(`You have exhausted your capacity on this model. Your quota will reset after ${quotaResetDelay}.`, [
      info(
        'QUOTA_EXHAUSTED',
        { model: 'gemini-2.5-pro', quotaResetDelay, quotaResetTimeStamp, uiMessage: 'true' },
        'cloudcode-pa.googleapis.com',
      ),
    ]),
  /** Code Assist: per minute. */
  rateLimitExceeded: (retryDelay: string) =>
    exhausted('Rate limit exceeded.', [
      info('RATE_LIMIT_EXCEEDED', { model: 'gemini-2.5-pro' }, 'cloudcode-pa.googleapis.com'),
      retryInfo(retryDelay),
    ]),
  /** Code Assist: Google has no capacity; nobody's quota. */
  noCapacity: (model: string) =>
    exhausted(`No capacity available for model ${model} on the server`, [
      info('MODEL_CAPACITY_EXHAUSTED', { model }, 'cloudcode-pa.googleapis.com'),
    ]),
  subscriptionRequired: () =>
    error(403, 'PERMISSION_DENIED', 'A licence is required (#3501).', [
      info('SUBSCRIPTION_REQUIRED', {}, 'cloudaicompanion.googleapis.com'),
    ]),
  securityPolicy: () => error(403, 'PERMISSION_DENIED', 'Request is prohibited.', [info('SECURITY_POLICY_VIOLATED')]),
  /** `loadCodeAssist` of a consumer account since June 2026. */
  unsupportedClient: (): Fault => ({
    kind: 'json',
    body: {
      allowedTiers: [{ id: 'standard-tier', isDefault: true, userDefinedCloudaicompanionProject: true }],
      ineligibleTiers: [
        {
          reasonCode: 'UNSUPPORTED_CLIENT',
          reasonMessage: 'This client is no longer supported for individuals.',
          tierId: 'free-tier',
          tierName: 'Gemini Code Assist for individuals',
        },
      ],
    },
  }),
  /** `loadCodeAssist` of an account that must be verified in a browser. */
  validationRequired: (validationUrl: string): Fault => ({
    kind: 'json',
    body: {
      ineligibleTiers: [
        {
          reasonCode: 'VALIDATION_REQUIRED',
          reasonMessage: 'Verify your account.',
          tierId: 'free-tier',
          validationUrl,
        },
      ],
    },
  }),
} as const
