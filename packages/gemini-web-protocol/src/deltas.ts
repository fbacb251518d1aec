/**
 * Cumulative snapshots to text that can only be appended.
 *
 * The upstream sometimes rewrites what it already sent. What is not settled is held back; when
 * something that was given out changes, the writer finds the place in the new text up to which the
 * old one already told it, goes on from there, and counts the drift.
 */

import { alignedEnd } from './align.ts'
import { createTextCleaner, type FollowUp, type TextOptions } from './text.ts'
import { compareText, type TextChange } from './text-change.ts'

export interface DeltaWriter {
  /** Takes the whole text so far; returns what to append. */
  push(text: string): string
  /** Takes a change; returns what to append. Cheaper than {@link push}: work follows the change. */
  apply(change: TextChange): string
  /** The answer is over, with this text if given; returns what was held back. */
  finish(text?: string): string
  /** How often text that was given out has changed afterwards. */
  readonly drift: number
  /** Units given out so far. */
  readonly length: number
  readonly followUps: readonly FollowUp[]
}

export function createDeltaWriter(options: TextOptions = {}): DeltaWriter {
  let cleaner = createTextCleaner(options)
  /** The raw text of the current snapshot, in pieces that are joined only when it was rewritten. */
  let raw = ''
  /** The clean text of the current snapshot as far as it is settled: all of it has been told. */
  let told = ''
  /** Set while the new snapshot is shorter than what was told: the text it has to reach first. */
  let ahead: string | undefined
  let drift = 0
  let length = 0

  function give(text: string): string {
    length += text.length
    return text
  }

  /** The snapshot changed inside what is settled: clean it anew and find where the told text ends in it. */
  function rewrite(): string {
    const before = ahead ?? told
    cleaner = createTextCleaner(options)
    return follow(before, cleaner.push(raw))
  }

  function follow(before: string, now: string): string {
    if (now.startsWith(before)) {
      told = now
      ahead = undefined
      return give(now.slice(before.length))
    }
    if (before.startsWith(now)) {
      // Taken back for now. What follows decides whether it was a rewrite.
      told = now
      ahead = before
      return ''
    }
    drift++
    told = now
    ahead = undefined
    return give(now.slice(alignedEnd(before, now)))
  }

  function append(added: string): string {
    const settled = cleaner.push(added)
    if (ahead !== undefined) return follow(ahead, told + settled)
    told += settled
    return give(settled)
  }

  const writer: DeltaWriter = {
    get drift() {
      return drift
    },
    get length() {
      return length
    },
    get followUps() {
      return cleaner.followUps
    },
    push: (text) => writer.apply(compareText(raw, text)),
    apply({ kept, added }) {
      if (kept >= raw.length) {
        raw += added
        return append(added)
      }
      raw = raw.slice(0, kept) + added
      if (kept >= cleaner.settled) {
        cleaner.cut(kept)
        return append(added)
      }
      return rewrite()
    },
    finish(text) {
      const out = text === undefined ? '' : writer.push(text)
      const rest = cleaner.finish()
      if (ahead !== undefined) return out + follow(ahead, told + rest)
      told += rest
      return out + give(rest)
    },
  }
  return writer
}
