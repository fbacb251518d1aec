/**
 * Remembers the thought signatures of calls by the id a client was given: most clients send the id back and
 * drop what they cannot read. Bounded; the oldest go first. Source: `gemini-api.md` section 4, step 1.
 */
export interface SignatureMemory {
  remember(key: string, signature: string): void
  recall(key: string): string | undefined
}

export function createSignatureMemory({ maxEntries = 10_000 } = {}): SignatureMemory {
  const signatures = new Map<string, string>()
  return {
    remember(key, signature) {
      signatures.delete(key)
      signatures.set(key, signature)
      if (signatures.size <= maxEntries) return
      const oldest = signatures.keys().next()
      if (oldest.done !== true) signatures.delete(oldest.value)
    },
    recall: (key) => signatures.get(key),
  }
}
