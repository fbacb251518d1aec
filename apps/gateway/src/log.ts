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
  const readable = format === 'text' || (format === 'auto' && destination === undefined && process.stdout.isTTY)
  const options = {
    level,
    base: null,
    redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '[removed]' },
  }
  if (!readable) return destination === undefined ? pino(options) : pino(options, destination)
  const out = destination ?? process.stdout
  return pino(options, { write: (line: string) => void out.write(`${readableLine(line)}\n`) })
}

/** One line a person reads: time, level, message, then the facts as name=value. */
function readableLine(line: string): string {
  const { time, level, msg, ...facts } = JSON.parse(line) as { time: number; level: number; msg?: string }
  const clock = new Date(time).toISOString().slice(11, 23)
  const name = pino.levels.labels[level] ?? ''
  const rest = Object.entries(facts).map(([field, value]) => {
    if (field === 'stack') return `\n${String(value)}`
    return `${field}=${typeof value === 'string' ? asOneFact(value) : onOneLine(JSON.stringify(value))}`
  })
  // A sentence stands as it is, unless something in it could pass for a fact.
  const sentence = msg === undefined ? '' : msg.includes('=') ? asOneFact(msg) : onOneLine(msg)
  return [clock, name.toUpperCase().padEnd(5), sentence, ...rest].join(' ')
}

/** In quotes where a reader, or a program, would take a part of it for the next fact. */
function asOneFact(text: string): string {
  return onOneLine(/^[^\s="\\]+$/.test(text) ? text : JSON.stringify(text))
}

/** What callers name, such as a model, must not look like a line of its own, nor speak to the terminal. */
function onOneLine(text: string): string {
  return text.replaceAll(UNSAFE, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Controls, line separators, and marks that turn the direction of text. */
const UNSAFE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu
/** Longest name kept of what a caller sent, in characters. */
const MAX_NAME = 200
/** Longest sentence kept: it may name what a caller sent. */
const MAX_SENTENCE = 1_000

/** Writes one request's outcome. Our own failures come with their cause's stack; nothing else does. */
export function logOutcome(log: Logger, mount: string, outcome: Outcome): void {
  const { error, warnings, served, usage } = outcome
  const facts = {
    requestId: outcome.requestId,
    mount,
    dialect: outcome.dialect,
    path: outcome.path.slice(0, MAX_NAME),
    caller: outcome.caller,
    model: outcome.model?.slice(0, MAX_NAME),
    upstream: served?.upstream,
    account: served?.account,
    servedModel: served?.model?.slice(0, MAX_NAME),
    stream: outcome.stream,
    status: outcome.status,
    firstChunkMs: round(outcome.firstChunkMs),
    durationMs: round(outcome.durationMs),
    ...(usage === undefined ? {} : { inputTokens: usage.inputTokens, outputTokens: usage.outputTokens }),
    ...(warnings.length === 0 ? {} : { warnings: warnings.map(({ setting }) => setting) }),
    ...(error === undefined ? {} : { code: error.code, fault: error.fault, upstreamCode: error.upstreamCode }),
  }
  const sentence = error?.message.slice(0, MAX_SENTENCE)
  if (error?.code === 'internal') log.error({ ...facts, stack: causeOf(error) }, sentence)
  else if (error?.code === 'aborted') log.info(facts, 'the caller left')
  else if (error !== undefined) log.warn(facts, sentence)
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
