import type { AccountStatus } from '@castorjs/account-pool'
import type { Outcome } from '@castorjs/content-generator'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Numbers for Prometheus. Labels are ids and names, never secrets; model names come from callers and are bounded. */
export interface Metrics {
  observe(outcome: Outcome): void
  /** The text of `/metrics`. */
  text(): Promise<{ body: string; contentType: string }>
  close(): void
}

/** Distinct model names kept apart; a caller can invent any number of them. */
const MOST_MODELS = 200
const SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180]

export function createMetrics(accounts: () => Promise<readonly AccountStatus[]>): Metrics {
  const register = new Registry()
  collectDefaultMetrics({ register, prefix: 'castor_' })
  const labels = ['dialect', 'upstream', 'model', 'status', 'code'] as const
  const requests = new Counter({
    name: 'castor_requests_total',
    help: 'Requests answered.',
    labelNames: labels,
    registers: [register],
  })
  const firstChunk = new Histogram({
    name: 'castor_first_chunk_seconds',
    help: 'Time from the request to the first piece of a stream.',
    labelNames: ['upstream'],
    buckets: SECONDS,
    registers: [register],
  })
  const duration = new Histogram({
    name: 'castor_request_seconds',
    help: 'Time from the request to the end of its answer.',
    labelNames: ['upstream'],
    buckets: SECONDS,
    registers: [register],
  })
  const tokens = new Counter({
    name: 'castor_tokens_total',
    help: 'Tokens; estimated ones are guesses from the text length.',
    labelNames: ['kind', 'estimated'],
    registers: [register],
  })
  const states = new Gauge({
    name: 'castor_account_state',
    help: '1 for the state an account is in.',
    labelNames: ['account', 'state'],
    registers: [register],
    async collect() {
      states.reset()
      for (const { label, state } of await accounts()) states.set({ account: label, state }, 1)
    },
  })
  const models = new Set<string>()

  function known(model: string | undefined): string {
    if (model === undefined) return '-'
    if (models.size < MOST_MODELS) models.add(model)
    return models.has(model) ? model : '(other)'
  }

  return {
    observe({ dialect, served, model, status, error, usage, firstChunkMs, durationMs }) {
      const upstream = served?.upstream ?? '-'
      // A name nobody serves is not worth a series of its own.
      const name = error?.code === 'model_not_found' ? '-' : known(model)
      requests.inc({ dialect, upstream, model: name, status: String(status), code: error?.code ?? '' })
      duration.observe({ upstream }, durationMs / 1_000)
      if (firstChunkMs !== undefined) firstChunk.observe({ upstream }, firstChunkMs / 1_000)
      if (usage === undefined) return
      const estimated = String(usage.estimated)
      tokens.inc({ kind: 'input', estimated }, usage.inputTokens)
      tokens.inc({ kind: 'output', estimated }, usage.outputTokens)
      tokens.inc({ kind: 'thought', estimated }, usage.thoughtTokens)
    },
    text: async () => ({ body: await register.metrics(), contentType: register.contentType }),
    close: () => register.clear(),
  }
}
