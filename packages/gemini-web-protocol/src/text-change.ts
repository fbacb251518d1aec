/** How one text differs from the one before. */

/** A change of a text: `new = old.slice(0, kept) + added`. */
export interface TextChange {
  /** UTF-16 units of the old text that stay. */
  kept: number
  added: string
}

/** The change from `old` to `text`; an extension keeps all of `old`. */
export function compareText(old: string, text: string): TextChange {
  // startsWith compares memory; only a rewrite is looked at unit by unit.
  const kept = text.startsWith(old) ? old.length : commonLength(old, text)
  return { kept, added: text.slice(kept) }
}

/** The text after a change. */
export function changeText(old: string, { kept, added }: TextChange): string {
  return kept === old.length ? old + added : old.slice(0, kept) + added
}

/** Length of the common start of two texts in UTF-16 units, never inside a surrogate pair. */
export function commonLength(a: string, b: string): number {
  const limit = Math.min(a.length, b.length)
  let length = 0
  while (length < limit && a.charCodeAt(length) === b.charCodeAt(length)) length++
  return beforePair(a, length)
}

/** The same place, or the one before when it splits a surrogate pair. */
export function beforePair(text: string, at: number): number {
  const before = text.charCodeAt(at - 1)
  return at > 0 && before >= 0xd800 && before < 0xdc00 ? at - 1 : at
}
