import {
  throwIfAborted,
  type ContentGenerator,
  type GenerateContentRequest,
  type GenerateContentResponse,
  type GenerateOptions,
} from '@castorjs/content-generator'
import { createHash } from 'node:crypto'
import { createRunningAnswer, type RunningAnswer } from './running-answer.ts'

export interface DeliveryOptions {
  /** How long an answer goes on after its client left, for clients that repeat by themselves. Default 5 000; 0 ends it at once. */
  agentGraceMs?: number
  /** The same for all others. Default 500. */
  graceMs?: number
  /** How long a finished answer waits for the client that lost it, in milliseconds. Default 120 000. */
  keepMs?: number
  /** Largest answer that can be joined, in bytes. Default 16 MiB. */
  maxAnswerBytes?: number
  /** All answers that can be joined together, in bytes. Default 64 MiB. */
  maxBytes?: number
  /** Answers without a reader at a time. Default 500. */
  maxLost?: number
}

/** A generator whose answers outlive a lost connection for a moment. */
export interface DeliveringGenerator extends ContentGenerator {
  /** Answers without a reader, running or finished. */
  readonly lost: number
  /** Ends everything that nobody reads. */
  close(): Promise<void>
}

interface Entry {
  answer: RunningAnswer
  bucket: string
  /** Undefined until it is worth its price: most requests are never compared with another. */
  print: string | undefined
  request: GenerateContentRequest | undefined
  options: GenerateOptions
  /** The client says that it repeats by itself. */
  repeats: boolean
  timer: ReturnType<typeof setTimeout> | undefined
  counted: number
}

/**
 * Lets a client that lost its connection have its answer, instead of prompting again: the same request of the same
 * caller in the same conversation joins the answer that is still running, or one that finished and never arrived.
 * Who asks the same thing twice on purpose gets two answers. Decision 006 has the rules and the reasons.
 */
export function withDelivery(
  upstream: ContentGenerator,
  {
    agentGraceMs = 5_000,
    graceMs = 500,
    keepMs = 120_000,
    maxAnswerBytes = 16 * 1024 * 1024,
    maxBytes = 64 * 1024 * 1024,
    maxLost = 500,
  }: DeliveryOptions = {},
): DeliveringGenerator {
  const buckets = new Map<string, Set<Entry>>()
  /** Entries without a reader, oldest first. */
  const lost = new Set<Entry>()
  let totalBytes = 0

  function open(request: GenerateContentRequest, options: GenerateOptions, bucket: string): Entry {
    const answer = createRunningAnswer(upstream, request, options)
    const repeats = options.retry !== undefined || options.sessionId !== undefined
    const entry: Entry = {
      answer,
      bucket,
      print: undefined,
      request,
      options,
      repeats,
      timer: undefined,
      counted: 0,
    }
    if (options.retry === 'off') {
      answer.forget()
      answer.onGone = () => void answer.stop()
      return entry
    }
    answer.onGrown = () => grow(entry)
    answer.onEnded = () => {
      if (answer.state === 'failed') drop(entry)
      else if (lost.has(entry)) wait(entry, keepMs)
    }
    answer.onGone = (how) => {
      if (how === 'left') lose(entry)
      else drop(entry)
    }
    const siblings = buckets.get(bucket)
    if (siblings === undefined) buckets.set(bucket, new Set([entry]))
    else siblings.add(entry)
    return entry
  }

  /** Nobody can join from here on; what still runs without a reader ends. */
  function drop(entry: Entry): void {
    const { answer, bucket } = entry
    clearTimeout(entry.timer)
    lost.delete(entry)
    const siblings = buckets.get(bucket)
    if (siblings?.delete(entry) === true && siblings.size === 0) buckets.delete(bucket)
    totalBytes -= entry.counted
    entry.counted = 0
    answer.onGrown = undefined
    answer.forget()
    if (answer.readers === 0) void answer.stop()
    else answer.onGone = () => void answer.stop()
  }

  function lose(entry: Entry): void {
    const { answer } = entry
    const grace = entry.repeats ? agentGraceMs : graceMs
    if (answer.state === 'failed' || (answer.state === 'running' && grace === 0) || entry.counted > maxAnswerBytes) {
      drop(entry)
      return
    }
    // The print is short; the request may hold a picture.
    entry.print ??= printOf(entry.request, entry.options)
    entry.request = undefined
    lost.add(entry)
    if (answer.state === 'finished') wait(entry, keepMs)
    else {
      wait(entry, grace)
      answer.run()
    }
    const [oldest] = lost
    if (lost.size > maxLost && oldest !== undefined) drop(oldest)
  }

  function wait(entry: Entry, ms: number): void {
    clearTimeout(entry.timer)
    entry.timer = setTimeout(() => drop(entry), ms)
  }

  function grow(entry: Entry): void {
    totalBytes += entry.answer.bytes - entry.counted
    entry.counted = entry.answer.bytes
    if (entry.counted > maxAnswerBytes) drop(entry)
    while (totalBytes > maxBytes) {
      const [oldest = entry] = lost
      drop(oldest)
    }
  }

  function find(request: GenerateContentRequest, options: GenerateOptions, bucket: string): Entry | undefined {
    const siblings = options.retry === 'off' ? undefined : buckets.get(bucket)
    if (siblings === undefined) return undefined
    let print: string | undefined
    for (const entry of siblings) {
      const { answer } = entry
      if (answer.signals.includes(options.signal)) continue
      // A reader that looks alive may be a connection that is dead without having said so, but only where the
      // client names its conversation or says that it repeats; all others may well want two answers.
      if (answer.readers > 0 && options.sessionId === undefined && options.retry !== 'declared') continue
      print ??= printOf(request, options)
      entry.print ??= printOf(entry.request, entry.options)
      if (entry.print === print) return entry
    }
    return undefined
  }

  function join(entry: Entry, options: GenerateOptions): AsyncIterator<GenerateContentResponse> {
    clearTimeout(entry.timer)
    lost.delete(entry)
    options.onHeaders?.({ 'x-castor-joined': entry.answer.state })
    return entry.answer.read(options)
  }

  return {
    ...upstream,
    generateContentStream: (request, options) => ({
      [Symbol.asyncIterator]() {
        let reading: AsyncIterator<GenerateContentResponse> | undefined
        function begin(): AsyncIterator<GenerateContentResponse> {
          throwIfAborted(options.signal)
          const bucket = bucketOf(request, options)
          const known = find(request, options, bucket)
          return known === undefined ? open(request, options, bucket).answer.read(options) : join(known, options)
        }
        return {
          next() {
            try {
              return (reading ??= begin()).next()
            } catch (error) {
              return Promise.reject(error)
            }
          },
          return: async () => (await reading?.return?.()) ?? { done: true, value: undefined },
        }
      },
    }),
    get lost() {
      return lost.size
    },
    async close() {
      const stopped = [...lost].map(({ answer }) => answer)
      for (const entry of lost) drop(entry)
      await Promise.all(stopped.map((answer) => answer.stop()))
    },
  }
}

/** What can be compared at no cost. Requests that differ here are never compared closely. */
function bucketOf({ model, contents }: GenerateContentRequest, { caller, sessionId }: GenerateOptions): string {
  return `${contents.length} ${caller ?? ''} ${sessionId ?? ''} ${model}`
}

/** The request and all that shapes its answer. What the dialect wishes for its own encoding is not in it. */
function printOf(
  request: GenerateContentRequest | undefined,
  { caller, sessionId, media, strictModel, origin }: GenerateOptions,
): string {
  return createHash('sha256')
    .update(JSON.stringify([caller, sessionId, request, media, strictModel, origin]))
    .digest('base64')
}
