/** What happened to an account, for the operator's webhook. Labels and states, never a secret. */
export interface AccountEvent {
  type:
    | 'account.rested'
    | 'account.recovered'
    | 'account.renewal-refused'
    | 'account.sign-in-failed'
    | 'account.terms-wanted'
  /** Null when it is the address that rests, with every account behind it. */
  account: string | null
  egress: string | null
  model: string | null
  /** The pool's word: `signed-out`, `needs-attention`, `address-blocked`, `limited`, `cooling`, `ready`. */
  state: string | null
  /** `expired ticket`, `signed out`, `device-bound`, `terms to accept`, `region`, `verification wanted`, … */
  cause: string | null
  message: string
  /** ISO 8601; null when the clock alone does not end it. */
  until: string | null
  link: string | null
}

export interface Webhook {
  send(event: AccountEvent): void
  /** Waits for what is under way, for a moment. */
  close(): Promise<void>
}

export interface WebhookOptions {
  url: string
  /** Said once per event that could not be delivered. */
  onFailed: (reason: string) => void
  fetch?: typeof fetch
  /** Pauses between tries, in milliseconds. Default 1 s, 5 s, 25 s. */
  pausesMs?: readonly number[]
  now?: () => number
}

const TIMEOUT_MS = 10_000
/** Events that wait; a webhook that is down must not fill the memory. */
const MOST_WAITING = 200
const CLOSE_MS = 2_000
/** Places whose last news are remembered. */
const MOST_TOLD = 10_000

/** Posts news as JSON, each tried a few times: `{ "source": "castor", "at": …, "type": …, … }`. */
export function createWebhook({
  url,
  onFailed,
  fetch: send = fetch,
  pausesMs = [1_000, 5_000, 25_000],
  now = Date.now,
}: WebhookOptions): Webhook {
  const pending = new Set<Promise<void>>()
  const told = new Map<string, string>()
  const closing = new AbortController()

  async function deliver(body: string): Promise<void> {
    let reason = ''
    for (const pause of [0, ...pausesMs]) {
      await sleep(pause, closing.signal)
      if (closing.signal.aborted && pause > 0) break
      try {
        const response = await send(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'user-agent': 'castor' },
          body,
          redirect: 'error',
          signal: AbortSignal.timeout(TIMEOUT_MS),
        })
        await response.body?.cancel()
        if (response.ok) return
        reason = `it answered ${response.status}`
        // Only what passes is worth another try.
        if (response.status < 500 && response.status !== 429) break
      } catch {
        reason = 'it could not be reached'
      }
    }
    onFailed(reason)
  }

  return {
    send(event) {
      if (!isNews(event, told)) return
      if (pending.size >= MOST_WAITING) return onFailed(`${MOST_WAITING} events wait already`)
      const body = JSON.stringify({ source: 'castor', at: new Date(now()).toISOString(), ...event })
      const done = deliver(body).finally(() => pending.delete(done))
      pending.add(done)
    },
    async close() {
      closing.abort()
      await Promise.race([Promise.all(pending), sleep(CLOSE_MS)])
    },
  }
}

/** A dead account is tried again and again; its owner hears of it once, until it recovers or the cause is another. */
function isNews(event: AccountEvent, told: Map<string, string>): boolean {
  const { type, account, egress, model, state, cause } = event
  if (type === 'account.recovered') {
    const places = [
      placeOf('account.rested', account, null, model),
      placeOf('account.rested', account, null, null),
      placeOf('account.rested', null, egress, null),
      placeOf('account.sign-in-failed', account, null, null),
    ]
    return places.filter((place) => told.delete(place)).length > 0
  }
  const place = placeOf(type, account, account === null ? egress : null, model)
  const news = `${state} ${cause}`
  if (told.get(place) === news) return false
  if (told.size >= MOST_TOLD) told.clear()
  told.set(place, news)
  return true
}

function placeOf(...words: (string | null)[]): string {
  return JSON.stringify(words)
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (ms === 0 || signal?.aborted === true) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    timer.unref()
    signal?.addEventListener('abort', done, { once: true })
    function done(): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
  })
}
