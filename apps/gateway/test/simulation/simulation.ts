import type { Fault } from '@castorjs/gemini-web-emulator'
import type { RunningEmulator } from '@castorjs/gemini-web-emulator/node'

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export const SIMULATED = Array.from({ length: 20 }, (_, index) => ({
  name: `person-${index + 1}`,
  session: `g.a000simulated-${index + 1}`,
  ticket: `sidts-simulated-${index + 1}`,
}))

/** What one request of the load came to. */
export interface Ending {
  kind: 'answer' | 'error' | 'cut' | 'lost'
  status: number
  code: string | undefined
  /** What is wrong with it; nothing for an answer that is whole or an honest error. */
  complaint: string | undefined
}

/** Sends one chat with a word of its own and judges what comes back. */
export async function askOnce(
  url: string,
  word: string,
  stream: boolean,
  signal: AbortSignal,
  key?: string,
): Promise<Ending> {
  let status = 0
  try {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
      body: JSON.stringify({
        model: 'gemini-2.5-flash',
        stream,
        messages: [{ role: 'user', content: `Repeat exactly: ${word}` }],
      }),
      signal,
    })
    status = response.status
    const text = await response.text()
    return stream && status === 200 ? judgeStream(text, word) : judgeBody(status, text, word)
  } catch (error) {
    return { kind: 'lost', status, code: error instanceof Error ? error.name : 'unknown', complaint: undefined }
  }
}

interface Body {
  choices?: { message?: { content?: string }; delta?: { content?: string } }[]
  error?: { code?: string; message?: string }
}

function judgeBody(status: number, text: string, word: string): Ending {
  const body = JSON.parse(text) as Body
  if (status === 200) {
    const said = body.choices?.[0]?.message?.content
    const complaint = said === word ? undefined : `said ${JSON.stringify(said)} in place of ${word}`
    return { kind: 'answer', status, code: undefined, complaint }
  }
  const { code, message } = body.error ?? {}
  const honest = code !== undefined && message !== undefined && status >= 400 && status !== 500
  return {
    kind: 'error',
    status,
    code,
    complaint: honest ? undefined : `status ${status} without a reason: ${message}`,
  }
}

function judgeStream(text: string, word: string): Ending {
  let said = ''
  let error: Body['error']
  for (const line of text.split('\n')) {
    if (!line.startsWith('data: {')) continue
    const body = JSON.parse(line.slice(6)) as Body
    said += body.choices?.[0]?.delta?.content ?? ''
    error ??= body.error
  }
  const done = text.includes('data: [DONE]')
  if (error !== undefined) {
    const complaint = done
      ? 'an error and [DONE]'
      : word.startsWith(said)
        ? undefined
        : `said ${said} in place of ${word}`
    return { kind: 'cut', status: 200, code: error.code, complaint }
  }
  const complaint = done && said === word ? undefined : `said ${said} in place of ${word}, done: ${done}`
  return { kind: 'answer', status: 200, code: undefined, complaint }
}

/** One thing that goes wrong, for a random account. */
export function strike(
  emulator: RunningEmulator,
  random: () => number,
  revoked: Set<string>,
  expired: Map<string, number>,
): string {
  const { controls } = emulator.emulator
  const account = SIMULATED[Math.floor(random() * SIMULATED.length)]?.name ?? ''
  const fail = (fault: Fault): void => controls.fail({ ...fault, account })
  const roll = random()
  if (roll < 0.06 && revoked.size < SIMULATED.length / 4) {
    revoked.add(account)
    controls.revoke(account)
    return `${account} signed out`
  }
  if (roll < 0.2) fail({ kind: 'code', code: 1037 })
  else if (roll < 0.35) fail({ kind: 'stall', ms: 800, afterFrames: Math.floor(random() * 4) })
  else if (roll < 0.55) fail({ kind: 'reset', afterFrames: Math.floor(random() * 4) })
  else if (roll < 0.6) fail({ kind: 'redirect', to: 'sorry' })
  else if (roll < 0.75 && performance.now() - (expired.get(account) ?? -Infinity) > 70_000) {
    // Google renews once a minute: a ticket that ends sooner is lost until then.
    expired.set(account, performance.now())
    controls.expireTicket(account)
  } else if (roll < 0.85) controls.expireToken(account)
  else fail({ kind: 'cut', afterFrames: Math.floor(random() * 6) })
  return `${account} ${roll.toFixed(2)}`
}

/** Times at which each account was renewed, and the shortest distance between two, in milliseconds. */
export function shortestRenewal(emulator: RunningEmulator): { renewals: number; shortestMs: number } {
  const last = new Map<string, number>()
  let renewals = 0
  let shortestMs = Infinity
  for (const { path, method, caller, atMs } of emulator.emulator.controls.requests) {
    if (method !== 'POST' || !path.endsWith('/RotateCookies')) continue
    const name = /^[\w-]+/.exec(caller)?.[0] ?? caller
    if (name === 'guest') continue
    renewals++
    const before = last.get(name)
    if (before !== undefined) shortestMs = Math.min(shortestMs, atMs - before)
    last.set(name, atMs)
  }
  return { renewals, shortestMs }
}

export function tally(endings: readonly Ending[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { kind, code } of endings) {
    const name = code === undefined ? kind : `${kind} ${code}`
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}
