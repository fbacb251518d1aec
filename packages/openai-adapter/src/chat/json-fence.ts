/** Takes the Markdown fence off an answer that was asked for as JSON, while it streams. */
export interface JsonFence {
  /** The text that is certain by now. */
  push(text: string): string
  /** The rest. */
  finish(): string
}

const OPENING = /^\s*```[^\n]*\n/
const MAYBE_OPENING = /^\s*(?:`{0,2}|```[^\n]*)$/
/** What may turn out to be the closing fence, at the end of what is known. */
const MAYBE_CLOSING = /\s*`{0,3}\s*$/

/** Holds back the first line until it is no fence, and then only what could be the closing one. Source: row 64. */
export function createJsonFence(): JsonFence {
  let held = ''
  let state: 'start' | 'plain' | 'fenced' = 'start'
  return {
    push(text) {
      if (state === 'plain') return text
      held += text
      if (state === 'start') {
        if (MAYBE_OPENING.test(held)) return ''
        const opening = OPENING.exec(held)
        state = opening === null ? 'plain' : 'fenced'
        if (opening === null) return take(held.length)
        held = held.slice(opening[0].length)
      }
      return take(MAYBE_CLOSING.exec(held)?.index ?? held.length)
    },
    finish() {
      if (state === 'fenced' && /^\s*```\s*$/.test(held)) return ''
      return take(held.length)
    },
  }

  function take(length: number): string {
    const ready = held.slice(0, length)
    held = held.slice(length)
    return ready
  }
}
