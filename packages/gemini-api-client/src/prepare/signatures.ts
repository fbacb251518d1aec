import type { Content, GenerateContentResponse, Part } from '@castorjs/content-generator'

/**
 * Stands for a signature that nobody has: history of another vendor or model, calls written by hand, lost state.
 * Works on the Gemini API, Vertex and Code Assist. Source: `gemini-api.md` section 4.1.
 */
const SENTINEL = 'skip_thought_signature_validator'

/** Remembers which signature belongs to which call, for clients that do not send it back. Safe to share between keys. */
export interface SignatureCache {
  /** Learns the signatures of an answer's calls. */
  remember(chunk: GenerateContentResponse, model: string): void
  /** The signature of a call that this very model made. */
  recall(part: Part, model: string): string | undefined
  /** True if the signature is known to be another model's. */
  isForeign(signature: string, model: string): boolean
}

export interface SignatureCacheOptions {
  /** Default 10 000; the oldest go first. */
  maxEntries?: number
  /** Default a day, in milliseconds. */
  maxAgeMs?: number
  now?: () => number
}

interface Known {
  signature: string
  model: string
  at: number
}

export function createSignatureCache({
  maxEntries = 10_000,
  maxAgeMs = 86_400_000,
  now = Date.now,
}: SignatureCacheOptions = {}): SignatureCache {
  const known = new Map<string, Known>()

  function keep(key: string, entry: Known): void {
    known.delete(key)
    known.set(key, entry)
    if (known.size <= maxEntries) return
    const oldest = known.keys().next()
    if (oldest.done !== true) known.delete(oldest.value)
  }

  function find(key: string): Known | undefined {
    const entry = known.get(key)
    if (entry === undefined || now() - entry.at <= maxAgeMs) return entry
    known.delete(key)
    return undefined
  }

  return {
    remember(chunk, model) {
      for (const part of chunk.candidates?.[0]?.content?.parts ?? []) {
        const { thoughtSignature: signature, functionCall } = part
        if (signature === undefined || functionCall === undefined) continue
        const entry = { signature, model, at: now() }
        for (const key of keysOf(part)) keep(key, entry)
        keep(`signature:${signature}`, entry)
      }
    },
    recall(part, model) {
      for (const key of keysOf(part)) {
        const entry = find(key)
        if (entry?.model === model) return entry.signature
      }
      return undefined
    },
    isForeign(signature, model) {
      const entry = find(`signature:${signature}`)
      return entry !== undefined && entry.model !== model
    },
  }
}

/** By id, and by what was called with what: some clients make up ids of their own. */
function keysOf({ functionCall }: Part): string[] {
  if (functionCall === undefined) return []
  const { id, name, args = {} } = functionCall
  const call = `call:${name}:${JSON.stringify(args)}`
  return id === undefined || id === '' ? [call] : [`id:${id}`, call]
}

/**
 * Gives the first call of each model turn its signature: the message's own, else the remembered one, else the
 * sentinel. Other parts keep what they have; nothing is moved, joined or shared.
 */
export function prepareSignatures(turns: readonly Content[], cache: SignatureCache, model: string): Content[] {
  return turns.map((turn) => {
    if (turn.role !== 'model') return turn
    const parts = turn.parts ?? []
    const first = parts.findIndex(({ functionCall }) => functionCall !== undefined)
    let changed = false
    const signed = parts.map((part, index) => {
      const signature = part.thoughtSignature
      if (signature !== undefined && cache.isForeign(signature, model)) {
        changed = true
        return { ...part, thoughtSignature: SENTINEL }
      }
      if (index !== first || signature !== undefined) return part
      changed = true
      return { ...part, thoughtSignature: cache.recall(part, model) ?? SENTINEL }
    })
    return changed ? { ...turn, parts: signed } : turn
  })
}

/** The same turns with every signature replaced by the sentinel: the one repair after Google refused a signature. */
export function replaceSignatures(turns: readonly Content[]): Content[] {
  return turns.map((turn) => {
    if (turn.parts?.some((part) => part.thoughtSignature !== undefined) !== true) return turn
    const parts = turn.parts.map((part) => {
      return part.thoughtSignature === undefined ? part : { ...part, thoughtSignature: SENTINEL }
    })
    return { ...turn, parts }
  })
}
