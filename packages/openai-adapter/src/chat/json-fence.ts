/** Takes the Markdown fence off an answer that was asked for as JSON, while it streams. */
export interface JsonFence {
  /** The text that is certain by now. */
  push(text: string): string
  /** The rest. */
  finish(): string
}

const OPENING = /^\s*```[^\n]*\n/
const MAYBE_OPENING = /^\s*(?:`{0,2}|```[^\n]{0,80})$/

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
      return take(closingStart(held))
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

/** Where that begins which may turn out to be the closing fence: white space, up to three backticks, white space. */
function closingStart(text: string): number {
  let start = skipSpace(text, text.length)
  for (let ticks = 0; ticks < 3 && text[start - 1] === '`'; ticks++) start--
  return skipSpace(text, start)
}

/** The first index of the white space that ends at `end`. */
function skipSpace(text: string, end: number): number {
  let start = end
  while (start > 0 && text.charCodeAt(start - 1) <= 0x20) start--
  return start
}
