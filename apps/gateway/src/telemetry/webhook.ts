import type { StateStore } from '@castorjs/state-store'
import pLimit from 'p-limit'
import type { News } from './account-events.ts'
import { postEvent, type PostFailure } from './post-event.ts'
import { createToldNews, newestOf, subjectOf } from './told-news.ts'
import type { WebhookAddress } from './webhook-address.ts'

export interface Webhook {
  send(news: readonly News[]): void
  /** Waits for what is under way, for a moment. What nobody heard by then is told when it is noticed anew. */
  close(): Promise<void>
}

export interface WebhookOptions {
  address: WebhookAddress
  /** Keeps what was told, for other processes and the next start. */
  state: StateStore
  /** Said once when events do not arrive any more, and again when the reason is another. */
  onFailed: (reason: string) => void
  /** Pauses between the first tries, in milliseconds. Default 1 s, 5 s, 25 s. */
  pausesMs?: readonly number[]
  /** Pauses between those after them, in milliseconds; the last goes on. Default one minute to five. */
  laterMs?: readonly number[]
  now?: () => number
}

/** News of one account or address, oldest first. */
interface Queue {
  waiting: { news: News; at: number }[]
  /** Tries since something was heard. */
  failures: number
  /** There is a reason not to wait any longer. */
  hurry: boolean
  /** Ends the pause before the next try. */
  wake: (() => void) | undefined
}

const AT_ONCE = 8
/** Longest queue. What is no longer true goes first, then the oldest. */
const MOST_WAITING = 50
/** New events end a pause, but not all the time. */
const LEAST_PAUSE_MS = 5_000
const CLOSE_MS = 2_000

/**
 * Posts news as JSON: `{ "source": "castor", "at": …, "type": …, … }`. Those of one account arrive in order, and each once
 * over all processes, as far as the state allows. When nobody hears them the newest of each matter wait until somebody does.
 */
export function createWebhook({
  address,
  state,
  onFailed,
  pausesMs = [1_000, 5_000, 25_000],
  laterMs = [60_000, 120_000, 300_000],
  now = Date.now,
}: WebhookOptions): Webhook {
  const told = createToldNews(state)
  const queues = new Map<string, Queue>()
  const running = new Set<Promise<void>>()
  const closing = new AbortController()
  const turn = pLimit(AT_ONCE)
  /** Why the last event was not heard, over all queues; undefined while they are. */
  let away: string | undefined

  function note(failure: PostFailure): boolean {
    if (failure !== undefined) {
      if (failure.reason !== away) onFailed(failure.reason)
      away = failure.reason
      return false
    }
    if (away !== undefined) for (const queue of queues.values()) hurry(queue)
    away = undefined
    return true
  }

  function hurry(queue: Queue): void {
    queue.hurry = true
    queue.wake?.()
  }

  /** A few tries in a row; where the receiver is known to be away, one. */
  async function deliver({ event }: News, at: number): Promise<boolean> {
    const body = JSON.stringify({ source: 'castor', at: new Date(at).toISOString(), ...event })
    for (const pause of away === undefined ? [...pausesMs, undefined] : [undefined]) {
      const failure = await turn(() => postEvent(address, body))
      if (failure === undefined || !failure.passes || pause === undefined) return note(failure)
      await sleep(pause, closing.signal)
      if (closing.signal.aborted) return note(failure)
    }
    return false
  }

  async function run(subject: string, queue: Queue): Promise<void> {
    for (let first = queue.waiting[0]; first !== undefined; first = queue.waiting[0]) {
      const { news, at } = first
      const isDone = await told.tell(news, at, () => deliver(news, at)).catch(() => false)
      if (isDone) {
        queue.failures = 0
        queue.waiting = queue.waiting.filter((one) => one !== first)
        continue
      }
      if (closing.signal.aborted) break
      tidy(queue)
      const pause = laterMs[Math.min(queue.failures++, laterMs.length - 1)] ?? LEAST_PAUSE_MS
      queue.hurry = false
      await sleep(Math.min(pause, LEAST_PAUSE_MS), closing.signal)
      if (!queue.hurry) await sleep(pause - LEAST_PAUSE_MS, closing.signal, (wake) => (queue.wake = wake))
      queue.wake = undefined
    }
    queues.delete(subject)
  }

  /** Leaves what is still true. */
  function tidy(queue: Queue): void {
    const newest = new Set(newestOf(queue.waiting.map(({ news }) => news)))
    queue.waiting = queue.waiting.filter(({ news }) => newest.has(news))
  }

  function push(news: News): void {
    const subject = subjectOf(news)
    const one = { news, at: news.at ?? now() }
    const known = queues.get(subject)
    if (known !== undefined) {
      known.waiting.push(one)
      if (known.failures > 0 || known.waiting.length > MOST_WAITING) tidy(known)
      if (known.waiting.length > MOST_WAITING) known.waiting.shift()
      hurry(known)
      return
    }
    const queue: Queue = { waiting: [one], failures: 0, hurry: false, wake: undefined }
    queues.set(subject, queue)
    const done = run(subject, queue).finally(() => running.delete(done))
    running.add(done)
  }

  return {
    send(all) {
      if (!closing.signal.aborted) for (const news of all) push(news)
    },
    async close() {
      closing.abort()
      await Promise.race([Promise.all(running), sleep(CLOSE_MS)])
    },
  }
}

function sleep(ms: number, signal?: AbortSignal, onWake?: (wake: () => void) => void): Promise<void> {
  if (ms <= 0 || signal?.aborted === true) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    timer.unref()
    signal?.addEventListener('abort', done, { once: true })
    onWake?.(done)
    function done(): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
  })
}
