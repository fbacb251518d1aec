import type { RetryHint } from '../generator.ts'

/**
 * Whether the client repeats requests by itself. The official SDKs of OpenAI and Anthropic count their tries in
 * `x-stainless-retry-count`, from 0. `x-castor-replay: off` asks for an answer of its own in any case.
 */
export function readRetryHint({ headers }: Request): RetryHint | undefined {
  const tries = headers.get('x-stainless-retry-count')
  const wish = headers.get('x-castor-replay')
  if (wish !== null && /^(off|false|no|0)$/i.test(wish)) return 'off'
  if (tries === null) return undefined
  return Number(tries) > 0 ? 'declared' : 'likely'
}
