import type { GenerateContentRequest, GenerateOptions } from '@castorjs/content-generator'

/** A conversation as the pool knows it. */
export interface Conversation {
  /** Not secret, and nothing that was said: it may be kept where others read. */
  key: string
  /** This is its first turn: it takes the account that is next, and is remembered. */
  begins?: boolean
}

/** Characters of the first turn that tell one conversation from another. */
const OPENING_CHARACTERS = 2_000

/**
 * The conversation a request belongs to: the session the client names, else all that begin with the same words of the
 * same caller, because a client without a session id sends the whole history with each turn.
 */
export function conversationOf(
  { contents }: GenerateContentRequest,
  { caller = '', sessionId }: GenerateOptions,
): Conversation | undefined {
  if (sessionId !== undefined) return { key: keyOf('session', caller, sessionId) }
  const opening = contents[0]?.parts?.find(({ text = '' }) => text !== '')?.text
  if (opening === undefined) return undefined
  return {
    key: keyOf('words', caller, opening.slice(0, OPENING_CHARACTERS)),
    begins: contents.every(({ role }) => role !== 'model'),
  }
}

function keyOf(kind: 'session' | 'words', caller: string, text: string): string {
  return [kind, hash(caller, FNV_BASIS), hash(text, FNV_BASIS), hash(text, OTHER_BASIS)].join('.')
}

const FNV_BASIS = 0x811c9dc5
const OTHER_BASIS = 0x9e3779b9

/**
 * FNV-1a over UTF-16 units, 32 bits in base 36. Two conversations under one key would only share an account, so speed
 * counts more here than strength: Web Crypto would cost a request more than the whole lease does.
 */
function hash(text: string, basis: number): string {
  let value = basis
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  return (value >>> 0).toString(36)
}
