export interface StopCutter {
  /** What may be put out of the text so far. `stopped` once a stop sequence was met; nothing comes after it. */
  push(text: string): { text: string; stopped: boolean }
  /** What was held back. */
  finish(): string
}

/** Ends a text at the first stop sequence, also when the network cuts the sequence. */
export function createStopCutter(stops: readonly string[]): StopCutter {
  const longest = Math.max(0, ...stops.map((stop) => stop.length))
  let held = ''
  return {
    push(text) {
      if (longest === 0) return { text, stopped: false }
      held += text
      const found = stops.map((stop) => held.indexOf(stop)).filter((index) => index >= 0)
      if (found.length > 0) {
        const out = held.slice(0, Math.min(...found))
        held = ''
        return { text: out, stopped: true }
      }
      const keep = cutStart(held, stops, longest)
      const out = held.slice(0, keep)
      held = held.slice(keep)
      return { text: out, stopped: false }
    },
    finish() {
      const rest = held
      held = ''
      return rest
    },
  }
}

/** Where the longest beginning of a stop sequence starts at the end of the text. */
function cutStart(text: string, stops: readonly string[], longest: number): number {
  for (let start = Math.max(0, text.length - longest + 1); start < text.length; start++) {
    const tail = text.slice(start)
    if (stops.some((stop) => stop.startsWith(tail))) return start
  }
  return text.length
}
