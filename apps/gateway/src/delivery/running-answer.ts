import {
  GenerationError,
  toGenerationError,
  type ContentGenerator,
  type GenerateContentRequest,
  type GenerateContentResponse,
  type GenerateOptions,
} from '@castorjs/content-generator'
import { createHistory, type History } from './history.ts'

type Chunk = GenerateContentResponse
type Leaving = 'delivered' | 'left' | 'unwanted'
type Notice = (to: GenerateOptions) => void

/**
 * One answer of an upstream and everyone who reads it. Pulled only as fast as its fastest reader; each reader gets
 * every chunk once, from the first on.
 */
export interface RunningAnswer {
  /** Who reads, or read, it: a request never joins an answer it has had. */
  readonly signals: readonly AbortSignal[]
  readonly readers: number
  /** `failed` also when it was stopped. */
  readonly state: 'running' | 'finished' | 'failed'
  /** Bytes kept for readers yet to come; 0 once nobody can join. */
  readonly bytes: number
  /** Called for what an owner must know; set once, by the owner. */
  onGrown: (() => void) | undefined
  onEnded: (() => void) | undefined
  /** A reader had it all (`delivered`), or the last one is gone: by a lost connection, or because it wanted no more. */
  onGone: ((how: Leaving) => void) | undefined
  read(options: GenerateOptions): AsyncIterator<Chunk>
  /** Goes on without readers. */
  run(): void
  /** Keeps nothing for later readers from here on. */
  forget(): void
  /** Aborts the upstream, then leaves its loop. */
  stop(): Promise<void>
}

type Writable<Shape> = { -readonly [Field in keyof Shape]: Shape[Field] }

interface Reader {
  /** Chunks that others pulled and this one has not taken. */
  queue: Chunk[]
  waiter: { resolve: (result: IteratorResult<Chunk>) => void; reject: (error: unknown) => void } | undefined
  options: GenerateOptions
  end: (how: Leaving) => void
}

const DONE: IteratorResult<Chunk> = { done: true, value: undefined }
/** Made once: an abort without a reason builds an exception with a stack. */
const STOPPED = new GenerationError('aborted', 'Nobody waits for this answer any more.')

/** @param maxQueued Chunks a reader may fall behind another before it is given up. */
export function createRunningAnswer(
  upstream: ContentGenerator,
  request: GenerateContentRequest,
  first: GenerateOptions,
  { maxQueued = 50_000 }: { maxQueued?: number } = {},
): RunningAnswer {
  const own = new AbortController()
  const readers = new Set<Reader>()
  const notices: Notice[] = []
  // A list and no weak set: those cost the garbage collector more than the rest of this file.
  const signals: AbortSignal[] = []
  let history: History | undefined = createHistory()
  let settled = Promise.resolve()
  let failure: unknown
  let pulling = false
  let unattended = false

  function tell(notice: Notice): void {
    notices.push(notice)
    for (const { options } of readers) notice(options)
  }
  const iterator = upstream
    .generateContentStream(request, {
      ...first,
      signal: own.signal,
      controller: own,
      onWarning: (warning) => tell((to) => to.onWarning?.(warning)),
      onServed: (served) => tell((to) => to.onServed?.(served)),
      onHeaders: (headers) => tell((to) => to.onHeaders?.(headers)),
    })
    [Symbol.asyncIterator]()

  function pull(): void {
    if (pulling || answer.state !== 'running') return
    pulling = true
    iterator.next().then(onNext, onFailure)
  }

  function onNext(next: IteratorResult<Chunk>): void {
    pulling = false
    if (answer.state !== 'running') return
    if (next.done === true) {
      answer.state = 'finished'
      for (const reader of readers) if (reader.waiter !== undefined) finish(reader)
      answer.onEnded?.()
      return
    }
    if (history !== undefined) {
      history.add(next.value)
      answer.bytes = history.bytes
      answer.onGrown?.()
    }
    for (const reader of readers) {
      const { waiter } = reader
      if (waiter === undefined) {
        if (reader.queue.push(next.value) > maxQueued) giveUp(reader)
        continue
      }
      reader.waiter = undefined
      waiter.resolve(next)
    }
    if (unattended && readers.size === 0) pull()
  }

  function onFailure(error: unknown): void {
    pulling = false
    if (answer.state !== 'running') return
    fail(error)
    answer.onEnded?.()
  }

  function fail(error: unknown): void {
    answer.state = 'failed'
    failure = error
    forget()
    for (const reader of readers) {
      reader.waiter?.reject(error)
      reader.waiter = undefined
    }
  }

  function finish(reader: Reader): void {
    const { waiter } = reader
    reader.waiter = undefined
    reader.end('delivered')
    waiter?.resolve(DONE)
  }

  function detach(reader: Reader, how: Leaving): void {
    if (!remove(reader)) return
    if (readers.size === 0 || how === 'delivered') answer.onGone?.(how)
  }

  /** A reader this far behind holds more memory than its connection is worth. */
  function giveUp(reader: Reader): void {
    reader.queue.length = 0
    remove(reader)
  }

  function remove(reader: Reader): boolean {
    const known = readers.delete(reader)
    answer.readers = readers.size
    return known
  }

  function forget(): void {
    history = undefined
    answer.bytes = 0
  }

  // Plain fields and no getters: an object with a getter of its own has a shape of its own, for each answer anew.
  const answer: Writable<RunningAnswer> = {
    signals,
    readers: 0,
    state: 'running',
    bytes: 0,
    onGrown: undefined,
    onEnded: undefined,
    onGone: undefined,
    read(options) {
      const { signal } = options
      unattended = false
      signals.push(signal)
      for (const notice of notices) notice(options)
      const reader: Reader = { queue: history?.chunks() ?? [], waiter: undefined, options, end }
      readers.add(reader)
      answer.readers = readers.size
      let over = false
      const leave = (): void => {
        over = true
        reader.waiter?.reject(toGenerationError(signal.reason, signal))
        reader.waiter = undefined
        detach(reader, 'left')
      }
      signal.addEventListener('abort', leave, { once: true })
      function end(how: Leaving): void {
        over = true
        signal.removeEventListener('abort', leave)
        detach(reader, how)
      }
      return {
        next() {
          if (over) {
            return signal.aborted ? Promise.reject(toGenerationError(signal.reason, signal)) : Promise.resolve(DONE)
          }
          const queued = reader.queue.shift()
          if (queued !== undefined) return Promise.resolve({ done: false, value: queued })
          if (answer.state === 'failed') {
            end('unwanted')
            return Promise.reject(failure)
          }
          if (!readers.has(reader)) {
            end('unwanted')
            return Promise.reject(new GenerationError('upstream_unavailable', 'The answer was read too slowly.'))
          }
          if (answer.state === 'finished') {
            end('delivered')
            return Promise.resolve(DONE)
          }
          return new Promise((resolve, reject) => {
            reader.waiter = { resolve, reject }
            pull()
          })
        },
        async return() {
          if (!over) end('unwanted')
          if (answer.state === 'failed') await settled
          return DONE
        },
      }
    },
    run() {
      unattended = true
      pull()
    },
    forget,
    stop() {
      if (answer.state !== 'running') return settled
      fail(STOPPED)
      own.abort(STOPPED)
      settled = Promise.resolve(iterator.return?.()).then(
        () => undefined,
        () => undefined,
      )
      return settled
    },
  }
  return answer
}
