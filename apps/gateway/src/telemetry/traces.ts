import type { Outcome } from '@castorjs/content-generator'
import type { SpanContext } from '@opentelemetry/api'
import { createAnnouncedExporter } from './announced-exporter.ts'

/** One span per request, sent where the standard variables of OpenTelemetry say. */
export interface Traces {
  /** Writes the span of a request that has ended at `endedAt`, in milliseconds since 1970. */
  record(mount: string, outcome: Outcome, endedAt?: number): void
  /**
   * Sends what waits, for two seconds at most.
   * @throws when it was not sent by then.
   */
  close(): Promise<void>
}

/** The one that is spoken. */
const PROTOCOL = 'http/protobuf'
/** Longest name kept of what a caller sent, in characters. */
const MAX_NAME = 200

/** A collector that is away must not hold up the end. */
const CLOSE_MS = 2_000

type Env = Record<string, string | undefined>

/** A variable, where it says anything. Source: OpenTelemetry's specification: an empty one counts as not set. */
function read(env: Env, name: string): string | undefined {
  return env[name]?.trim() || undefined
}

/** True when the environment names a receiver and does not switch the SDK off. */
export function wantsTraces(env: Env): boolean {
  if (read(env, 'OTEL_SDK_DISABLED')?.toLowerCase() === 'true' || read(env, 'OTEL_TRACES_EXPORTER') === 'none') {
    return false
  }
  return ENDPOINTS.some((name) => read(env, name) !== undefined)
}

/** The one for traces alone wins. */
const ENDPOINTS = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'] as const

/**
 * Loads the SDK and its OTLP exporter over HTTP (protobuf), which read `OTEL_EXPORTER_OTLP_*`, `OTEL_BSP_*`,
 * `OTEL_TRACES_SAMPLER` and `OTEL_RESOURCE_ATTRIBUTES` themselves. Undefined, and nothing loaded, without an endpoint.
 */
export async function openTraces(
  env: Env,
  version: string,
  warn: (message: string) => void = () => {},
): Promise<Traces | undefined> {
  if (!wantsTraces(env)) return undefined
  const endpoint = ENDPOINTS.find((name) => read(env, name) !== undefined)
  if (endpoint !== undefined && !URL.canParse(read(env, endpoint) ?? '')) {
    // The SDK would send them to its default, where nobody asked for them.
    warn(`${endpoint} is not a URL, so no traces are sent`)
    return undefined
  }
  const protocol =
    read(env, 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ?? read(env, 'OTEL_EXPORTER_OTLP_PROTOCOL') ?? PROTOCOL
  if (protocol !== PROTOCOL) {
    warn(
      `OTEL_EXPORTER_OTLP_PROTOCOL asks for another protocol; traces are sent as ${PROTOCOL}, which needs its own port`,
    )
  }
  const propagators = (read(env, 'OTEL_PROPAGATORS') ?? 'tracecontext').split(',').map((name) => name.trim())
  const follows = propagators.includes('tracecontext')
  const [{ ROOT_CONTEXT, SpanKind, SpanStatusCode, trace }, sdk, { OTLPTraceExporter }, resources] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
    import('@opentelemetry/resources'),
  ])
  const own = resources.resourceFromAttributes({
    'service.name': read(env, 'OTEL_SERVICE_NAME') ?? 'castor',
    'service.version': version,
  })
  const detected = resources.detectResources({ detectors: [resources.envDetector] })
  const provider = new sdk.BasicTracerProvider({
    resource: own.merge(detected),
    spanProcessors: [new sdk.BatchSpanProcessor(createAnnouncedExporter(new OTLPTraceExporter(), warn))],
  })
  const tracer = provider.getTracer('castor', version)

  return {
    record(mount, outcome, endedAt = Date.now()) {
      const { error, warnings, firstChunkMs, durationMs, method, path } = outcome
      const startTime = endedAt - durationMs
      const parent = follows ? readParent(outcome.traceparent) : undefined
      const context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent)
      const options = { kind: SpanKind.SERVER, startTime, attributes: attributesOf(mount, outcome) }
      const span = tracer.startSpan(`${method} ${path.slice(0, MAX_NAME)}`, options, context)
      if (firstChunkMs !== undefined) span.addEvent('first chunk', {}, startTime + firstChunkMs)
      for (const { setting } of warnings) span.addEvent('warning', { 'castor.setting': setting }, endedAt)
      if (error !== undefined) {
        span.addEvent('error', { 'error.type': error.code, 'castor.fault': error.fault }, endedAt)
        if (error.code !== 'aborted') span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
      }
      span.end(endedAt)
    },
    close: () => within(CLOSE_MS, provider.shutdown()),
  }
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The collector took nothing within ${ms / 1_000} seconds`)), ms)
  })
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/** A `traceparent` that was found to be well-formed. */
function readParent(traceparent: string | undefined): SpanContext | undefined {
  const [, traceId, spanId, flags] = traceparent?.split('-') ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
}

/** Names of the semantic conventions where there are some; never a prompt, an answer or a key. */
function attributesOf(mount: string, outcome: Outcome): Record<string, string | number | boolean> {
  const { served, usage, error } = outcome
  const all: Record<string, string | number | boolean | undefined> = {
    'http.request.method': outcome.method,
    'url.path': outcome.path.slice(0, MAX_NAME),
    'http.response.status_code': outcome.status,
    'error.type': error?.code,
    'gen_ai.request.model': outcome.model?.slice(0, MAX_NAME),
    'gen_ai.response.model': served?.model,
    'gen_ai.usage.input_tokens': usage?.inputTokens,
    'gen_ai.usage.output_tokens': usage?.outputTokens,
    'castor.media': outcome.media === 0 ? undefined : outcome.media,
    'castor.usage.estimated': usage?.estimated,
    'castor.request_id': outcome.requestId,
    'castor.mount': mount,
    'castor.dialect': outcome.dialect,
    'castor.caller': outcome.caller,
    'castor.upstream': served?.upstream,
    'castor.account': served?.account,
    'castor.stream': outcome.stream,
    'castor.first_chunk_ms': outcome.firstChunkMs,
  }
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string | number | boolean] => entry[1] !== undefined),
  )
}
