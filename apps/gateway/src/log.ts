import type { GenerationError, Outcome } from '@castorjs/content-generator'
import { pino, type DestinationStream, type Logger } from 'pino'
import type { Config } from './config-schema.ts'

/**
 * Fields that never reach a log, whatever they hang on. Everything logged is built from safe facts in the
 * first place; this is the second line.
 */
const SECRET_FIELDS = ['cookie', 'cookies', 'authorization', 'key', 'apiKey', 'token', 'prompt', 'set-cookie']

/** The server's log: JSON lines, or readable ones on a terminal. */
export function createLog({ level, format }: Config['log'], destination?: DestinationStream): Logger {
  const readable = format === 'text' || (format === 'auto' && process.stdout.isTTY === true)
  const options = {
    level,
    base: null,
    redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '[removed]' },
  }
  if (destination !== undefined) return pino(options, destination)
  if (!readable) return pino(options)
  return pino(options, { write: (line: string) => void process.stdout.write(`${readableLine(line)}\n`) })
}

/** One line a person reads: time, level, message, then the facts as name=value. */
function readableLine(line: string): string {
  const { time, level, msg, ...facts } = JSON.parse(line) as { time: number; level: number; msg?: string }
  const clock = new Date(time).toISOString().slice(11, 23)
  const name = pino.levels.labels[level] ?? ''
  const rest = Object.entries(facts).map(
    ([field, value]) => `${field}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  return [clock, name.toUpperCase().padEnd(5), msg ?? '', ...rest].join(' ')
}

/** Writes one request's outcome. Our own failures come with their cause's stack; nothing else does. */
export function logOutcome(log: Logger, mount: string, outcome: Outcome): void {
  const { error, warnings, served, usage } = outcome
  const facts = {
    requestId: outcome.requestId,
    mount,
    dialect: outcome.dialect,
    path: outcome.path,
    caller: outcome.caller,
    model: outcome.model,
    upstream: served?.upstream,
    account: served?.account,
    servedModel: served?.model,
    stream: outcome.stream,
    status: outcome.status,
    firstChunkMs: round(outcome.firstChunkMs),
    durationMs: round(outcome.durationMs),
    ...(usage === undefined ? {} : { inputTokens: usage.inputTokens, outputTokens: usage.outputTokens }),
    ...(warnings.length === 0 ? {} : { warnings: warnings.map(({ setting }) => setting) }),
    ...(error === undefined ? {} : { code: error.code, fault: error.fault, upstreamCode: error.upstreamCode }),
  }
  if (error?.code === 'internal') log.error({ ...facts, stack: causeOf(error) }, error.message)
  else if (error !== undefined && error.code !== 'aborted') log.warn(facts, error.message)
  else log.info(facts, 'answered')
}

function round(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms)
}

/** Where it happened, without the message, which may quote what a caller or an upstream said. */
export function causeOf(error: GenerationError): string | undefined {
  const { cause } = error
  if (!(cause instanceof Error)) return undefined
  const frames = cause.stack?.split('\n').filter((line) => line.trimStart().startsWith('at ')) ?? []
  return [cause.name, ...frames].join('\n')
}
