/**
 * What clients take out of an answer's text, as an automaton that says how much is settled.
 * Source: fact sheet §4.6, §4.7.
 */

export interface TextOptions {
  /** Markers such as `[cite: 1, 2]` and `[cite_start]`. Default `remove`. */
  citations?: 'remove' | 'keep'
  /** False leaves everything as it came. Default true. */
  clean?: boolean
}

export interface FollowUp {
  label: string
  query: string
}

/** A cleaner takes raw text as it grows and gives out what will not change any more. */
export interface TextCleaner {
  /** Raw units given out or taken out so far: what comes before cannot be taken back. */
  readonly settled: number
  /** Adds raw text; returns the clean text that this settled. */
  push(raw: string): string
  /** Drops raw text that is not settled, down to `length` units in all. */
  cut(length: number): void
  /** No more will come: returns what was held back. */
  finish(): string
  readonly followUps: readonly FollowUp[]
}

/** `http://googleusercontent.com/<word>/<digits>` with the line feeds behind it. Source: fact sheet §4.7. */
const PLACEHOLDER = /https?:\/\/googleusercontent\.com\/\w+\/\d+\n*/y
/** Fence of a code run or its output. Source: fact sheet §4.7. */
const CODE_RUN_INFO = /^(\w*)\?code_(?:reference|stdout)&code_event_index=\d+$/
const CITATION = /\[cite(?:_start|_end)?(?::[^\]\n]*)?\]/y
const FOLLOW_UP = /<FollowUp\s+((?:[^>"]|"[^"]*")*)\/?>\n*(?:<\/FollowUp>\n*)?/y
const FENCE = /( {0,3})(`{3,})([^\n]*)\n/y

/** Where something may start that is not plain text. A backslash or half a pair matters only at the very end. */
const TRIGGER = /https?:\/\/g|^ {0,3}```|\[cite|<FollowUp/gm

/** Starts of such things that the end of the text may cut. Longest first is not needed: each is tested whole. */
const OPENINGS = ['http://googleusercontent.com/', 'https://googleusercontent.com/', '[cite', '<FollowUp']

export function createTextCleaner({ citations = 'remove', clean = true }: TextOptions = {}): TextCleaner {
  const followUps: FollowUp[] = []
  let settled = 0
  /** Raw text that is not settled. */
  let pending = ''
  /** The text before `pending` ended a line. */
  let lineStart = true
  /** Line feeds behind something that was taken out belong to it. */
  let swallow = false
  /** Inside a fence: its marks, and the code when the block is taken out. */
  let fence: { marks: string; dropped: string | undefined } | undefined
  /** Code that was taken out, for an answer that turns out to be nothing else. */
  let droppedCode = ''
  let spoken = false

  function take(ended: boolean): string {
    let out = ''
    let position = 0

    function emit(to: number): void {
      out += pending.slice(position, to)
      advance(to)
    }
    function advance(to: number): void {
      if (to > position) lineStart = pending[to - 1] === '\n'
      position = to
    }

    if (!clean) emit(plainEnd(pending, pending.length, ended))
    while (clean && position < pending.length) {
      if (swallow) {
        const end = skipLineFeeds(pending, position)
        const moved = end > position
        position = end
        if (moved) lineStart = true
        if (position === pending.length) break
        swallow = false
      }
      if (fence !== undefined) {
        const line = pending.indexOf('\n', position)
        const end = line < 0 ? pending.length : line + 1
        const text = pending.slice(position, end)
        const closes = lineStart && text.trim().startsWith(fence.marks) && text.trim().replace(/`/g, '') === ''
        if (closes) {
          // A closing fence at the very end may be a repair of the upstream's that moves on.
          if (!ended && skipBlank(pending, end) === pending.length) break
          if (fence.dropped !== undefined) {
            droppedCode += `${fence.dropped}${fence.marks}\n`
            fence = undefined
            advance(end)
            swallow = true
          } else {
            fence = undefined
            emit(end)
          }
          continue
        }
        if (line < 0) {
          const safe = ended ? end : codeEnd(pending, position, lineStart)
          if (fence.dropped !== undefined) {
            if (ended) {
              fence.dropped += text
              advance(end)
            }
          } else emit(safe)
          break
        }
        // Line feeds before a closing fence may go away with it.
        const next = skipLineFeeds(pending, end)
        if (!ended && (next === pending.length || mayClose(pending, next, fence.marks))) {
          if (fence.dropped === undefined) emit(plainEnd(pending, end - 1, true))
          break
        }
        if (fence.dropped === undefined) emit(end)
        else {
          fence.dropped += text
          advance(end)
        }
        continue
      }
      const found = findTrigger(pending, position, lineStart)
      if (found > position) {
        const stop = found === pending.length ? plainEnd(pending, found, ended) : found
        emit(stop)
        if (stop < found || found === pending.length) break
        continue
      }
      const done = special(ended)
      if (!done) break
    }

    /** Handles what starts at `position`; false when it is not complete yet. */
    function special(last: boolean): boolean {
      const character = pending[position]
      if (character === 'h') {
        const match = matchAt(PLACEHOLDER, pending, position)
        if (match !== null) {
          const end = position + match[0].length
          if (end === pending.length && !last) return false
          advance(end)
          swallow = true
          return true
        }
        if (!last && mayBecome(pending.slice(position), 'h')) return false
      } else if (character === '[') {
        const match = citations === 'remove' ? matchAt(CITATION, pending, position) : null
        if (match !== null) {
          // A marker takes the one space before it along when it ends a sentence; that space is already out, so it stays.
          advance(position + match[0].length)
          return true
        }
        if (!last && citations === 'remove' && /^\[cite[^\]\n]{0,80}$/.test(pending.slice(position))) return false
      } else if (character === '<') {
        const match = matchAt(FOLLOW_UP, pending, position)
        if (match !== null) {
          followUps.push(readFollowUp(match[1] as string))
          advance(position + match[0].length)
          swallow = true
          return true
        }
        if (!last && pending.length - position < 2_000) return false
      } else {
        const match = matchAt(FENCE, pending, position)
        if (match !== null) {
          const run = CODE_RUN_INFO.exec((match[3] as string).trim())
          fence = { marks: match[2] as string, dropped: run === null ? undefined : `${match[2]}${run[1]}\n` }
          if (run === null) emit(position + match[0].length)
          else advance(position + match[0].length)
          return true
        }
        if (!last) return false
      }
      emit(position + 1)
      return true
    }

    settled += position
    pending = pending.slice(position)
    if (out.trim() !== '') spoken = true
    return out
  }

  return {
    followUps,
    get settled() {
      return settled
    },
    push(raw) {
      if (raw === '') return ''
      pending += raw
      return take(false)
    },
    cut(length) {
      pending = pending.slice(0, Math.max(0, length - settled))
    },
    finish() {
      let out = take(true)
      if (fence?.dropped !== undefined) droppedCode += fence.dropped
      // An answer that is nothing but code runs keeps them, with plain fences.
      if (!spoken && droppedCode !== '') out += droppedCode
      return out
    },
  }
}

/** Cleans a whole text. */
export function cleanText(text: string, options: TextOptions = {}): { text: string; followUps: readonly FollowUp[] } {
  const cleaner = createTextCleaner(options)
  const start = cleaner.push(text)
  return { text: start + cleaner.finish(), followUps: cleaner.followUps }
}

function matchAt(pattern: RegExp, text: string, position: number): RegExpExecArray | null {
  pattern.lastIndex = position
  return pattern.exec(text)
}

/** First place from `position` on where something special starts, or the end of the text. */
function findTrigger(text: string, position: number, lineStart: boolean): number {
  TRIGGER.lastIndex = position
  for (let match = TRIGGER.exec(text); match !== null; match = TRIGGER.exec(text)) {
    // `^` also matches at index 0 of the pending text, which need not start a line.
    const fenceInLine = match.index === position && !lineStart && (match[0].startsWith(' ') || match[0].startsWith('`'))
    if (!fenceInLine) return match.index
    TRIGGER.lastIndex = match.index + match[0].length
  }
  return text.length
}

/** Whether `text` is a cut start of a placeholder. */
function mayBecome(text: string, first: string): boolean {
  if (OPENINGS.some((opening) => opening.startsWith(first) && opening.startsWith(text))) return true
  return /^https?:\/\/googleusercontent\.com\/(?:\w+(?:\/\d*)?)?$/.test(text)
}

/**
 * End of the plain text before `end` that is settled: not half a surrogate pair, a backslash, the
 * cut start of something special, or a line that may become a fence.
 */
function plainEnd(text: string, end: number, ended: boolean): number {
  if (ended) return end
  let stop = end
  const tail = text.slice(Math.max(0, end - 40), end)
  for (let from = 0; from < tail.length; from++) {
    const rest = tail.slice(from)
    const opens = OPENINGS.some((opening) => opening.startsWith(rest))
    const fence =
      /^(?: {1,3}| {0,3}`{1,2})$/.test(rest) && (from === 0 ? end - tail.length === 0 : tail[from - 1] === '\n')
    if (opens || fence || /^\\+$/.test(rest)) {
      stop = end - tail.length + from
      break
    }
  }
  const unit = text.charCodeAt(stop - 1)
  return unit >= 0xd800 && unit < 0xdc00 ? stop - 1 : stop
}

/** The same inside a code block, for a last line without line feed: it may become the closing fence. */
function codeEnd(text: string, from: number, lineStart: boolean): number {
  const line = text.slice(from)
  if (lineStart && /^\s{0,3}`*$/.test(line)) return from
  const stop = text.length - (/\\+$/.exec(line)?.[0].length ?? 0)
  const unit = text.charCodeAt(stop - 1)
  return unit >= 0xd800 && unit < 0xdc00 ? stop - 1 : stop
}

/** Whether the line at `position` is, or may become, a closing fence at the end of the text. */
function mayClose(text: string, position: number, marks: string): boolean {
  const line = text.indexOf('\n', position)
  const content = text.slice(position, line < 0 ? undefined : line).trim()
  if (!/^`*$/.test(content)) return false
  if (line < 0) return true
  return content.length >= marks.length && skipBlank(text, line) === text.length
}

function skipLineFeeds(text: string, position: number): number {
  let end = position
  while (text[end] === '\n') end++
  return end
}

function skipBlank(text: string, position: number): number {
  let end = position
  while (end < text.length && /\s/.test(text[end] as string)) end++
  return end
}

function readFollowUp(attributes: string): FollowUp {
  const value = (name: string): string => new RegExp(`${name}\\s*=\\s*"([^"]*)"`).exec(attributes)?.[1] ?? ''
  return { label: value('label'), query: value('query') }
}
