import { withLock, type StateStore } from '@castorjs/state-store'
import { ALL_RESTS, type Matter, type News } from './account-events.ts'

/** What was last told of each matter of one account or address: words, or null when it was over, and when that was so. */
type Told = Readonly<Partial<Record<Matter, { words: string | null; at: number }>>>

/** What has been told, over all processes and restarts. */
export interface ToldNews {
  /**
   * Tells news that are news, one process at a time, and remembers it.
   *
   * @param at When they were so, Unix milliseconds: a process that was kept waiting does not tell what is over.
   * @param tell True when it was heard.
   * @returns False when it was not heard, or when another process is still telling.
   */
  tell(news: News, at: number, tell: () => Promise<boolean>): Promise<boolean>
}

const KEPT_MS = 90 * 86_400_000
/** A holder that died frees the lock after the first, and one that lives has told after the second. */
const LOCK = { ttlMs: 15_000, waitMs: 60_000 }
/** Matters of one subject, most of them models, and subjects that are remembered while the state is away. */
const MOST_MATTERS = 50
const MOST_SUBJECTS = 10_000

/** Whom news are about: `gemini-web/account/ada`, `gemini-web/egress/direct`. */
export function subjectOf({ event: { upstream, account, egress } }: News): string {
  const [kind, name] = account === null ? ['egress', egress ?? ''] : ['account', account]
  return `${upstream}/${kind}/${encodeURIComponent(name).slice(0, 400)}`
}

/** Over the state; while that is away, from what this process told itself, so that replicas may each tell then. */
export function createToldNews(state: StateStore): ToldNews {
  const remembered = new Map<string, Told>()

  async function read(key: string): Promise<Told> {
    const record = await state.get(key).catch(() => null)
    return record === null ? (remembered.get(key) ?? {}) : ((record?.value as Told | undefined) ?? {})
  }

  async function write(key: string, told: Told): Promise<void> {
    if (remembered.size >= MOST_SUBJECTS) remembered.clear()
    remembered.set(key, told)
    // Told is told: what cannot be written now is told once more at worst.
    await state.set(key, told, { ttlMs: KEPT_MS }).catch(() => undefined)
  }

  return {
    async tell(news, at, tell) {
      const key = `webhook/${subjectOf(news)}`
      const work = async (): Promise<boolean> => {
        const next = afterNews(await read(key), news, at)
        if (next === undefined) return true
        if (!(await tell())) return false
        await write(key, next)
        return true
      }
      let begun = false
      const done = await withLock(state, key, () => ((begun = true), work()), LOCK).catch((error: unknown) => {
        if (begun) throw error
        return work().then((value) => ({ value }))
      })
      return done?.value ?? false
    },
  }
}

/**
 * What has been told once these news are; undefined when they are none. A dead account is tried again and again: its owner
 * hears of it once, until it recovers or the cause is another.
 */
function afterNews(told: Told, { event: { type, state, cause }, matters }: News, at: number): Told | undefined {
  const known = Object.entries(told) as [Matter, NonNullable<Told[Matter]>][]
  const isOver = type === 'account.recovered'
  const words = isOver ? null : `${state} ${cause}`
  const concerned = isOver ? known.map(([matter]) => matter).filter((matter) => ends(matters, matter)) : matters
  const fresh = concerned.filter((matter) => {
    const last = told[matter] ?? { words: null, at: 0 }
    return last.words !== words && last.at <= at
  })
  if (fresh.length === 0) return undefined
  const others = known.filter(([matter]) => !fresh.includes(matter)).slice(-MOST_MATTERS)
  return Object.fromEntries([...others, ...fresh.map((matter) => [matter, { words, at }])])
}

/**
 * What is still true of news that nobody heard for a while, in order: of each matter the last.
 */
export function newestOf(waiting: readonly News[]): News[] {
  return waiting.filter((news, index) => !waiting.slice(index + 1).some((later) => overtakes(later, news)))
}

function overtakes(later: News, earlier: News): boolean {
  const isOver = later.event.type === 'account.recovered'
  const wasOver = earlier.event.type === 'account.recovered'
  if (isOver) return earlier.matters.every((matter) => ends(later.matters, matter))
  return wasOver
    ? later.matters.some((matter) => ends(earlier.matters, matter))
    : earlier.matters.every((matter) => later.matters.includes(matter))
}

function ends(matters: readonly Matter[], matter: Matter): boolean {
  return matters.includes(matter) || (matters.includes(ALL_RESTS) && matter.startsWith('rest'))
}
