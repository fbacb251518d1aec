import type { Clock } from './clock.ts'

/** Something that takes a while: a video or a research. */
interface Job {
  readonly id: string
  readonly kind: 'video' | 'research'
  readonly profile: string
  readonly chatId: string
  readonly responseId: string
  readonly candidateId: string
  readonly title: string
  readonly prompt: string
  readonly startedMs: number
  /** History shows the result from then on. */
  readonly listedMs: number
  /** The file can be downloaded from then on. */
  readonly readyMs: number
}

export interface Jobs {
  start(job: Job): void
  find(id: string): Job | undefined
  /** History shows the result. */
  isListed(id: string): boolean
  clear(): void
}

export function createJobs(clock: Clock): Jobs {
  const jobs = new Map<string, Job>()
  return {
    start(job) {
      jobs.set(job.id, job)
    },
    find: (id) => jobs.get(id),
    isListed(id) {
      const job = jobs.get(id)
      return job !== undefined && clock.now() >= job.listedMs
    },
    clear() {
      jobs.clear()
    },
  }
}
