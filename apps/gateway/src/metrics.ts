import type { Outcome } from '@castorjs/content-generator'
import type { ModelNames } from './telemetry/model-names.ts'
import type { Watched } from './telemetry/readiness.ts'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Numbers for Prometheus. Labels are ids and names, never secrets; model names come from callers and are bounded. */
export interface Metrics {
  observe(outcome: Outcome): void
  /** The text of `/metrics`. */
  text(): Promise<{ body: string; contentType: string }>
  close(): void
}

export interface MetricsOptions {
  upstreams: readonly Watched[]
  modelNames: ModelNames
  stateIsWell: () => boolean
}

const SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180]

export function createMetrics({ upstreams, modelNames, stateIsWell }: MetricsOptions): Metrics {
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
    help: 'Time from the request to the first piece of its answer, streamed or not.',
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
    labelNames: ['upstream', 'account', 'state'],
    registers: [register],
    async collect() {
      const known = await Promise.all(upstreams.map(async ({ name, status }) => ({ name, accounts: await status() })))
      // In one step: another scrape reads what is set here.
      states.reset()
      for (const { name: upstream, accounts } of known) {
        for (const { label, state } of accounts) states.set({ upstream, account: label, state }, 1)
      }
    },
  })
  const media = new Counter({
    name: 'castor_media_total',
    help: 'Pictures, clips and other files in answers.',
    labelNames: ['upstream'],
    registers: [register],
  })
  const well: Gauge = new Gauge({
    name: 'castor_state_up',
    help: '1 while the state (the data directory, or Redis) can be read and written.',
    registers: [register],
    collect: () => well.set(stateIsWell() ? 1 : 0),
  })

  return {
    observe(outcome) {
      const { dialect, served, status, error, usage, firstChunkMs, durationMs } = outcome
      const upstream = served?.upstream ?? '-'
      const model = modelNames(outcome)
      requests.inc({ dialect, upstream, model, status: String(status), code: error?.code ?? '' })
      if (outcome.media > 0) media.inc({ upstream }, outcome.media)
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
