/**
 * Status of a video or research job, `kwDCne`. The shape is only partly known: do not depend on it;
 * completion shows in the chat's history. Source: fact sheet §9.1, §10.1 [M].
 */

import { buildTime, readTime, withoutUndefined } from './fields.ts'
import { get, read, readNumber, readString, wirePath } from './path.ts'
import { buildResearchJob } from './research.ts'

/** Payload of `kwDCne`. */
export function jobPayload(jobId: string): unknown[] {
  return [jobId]
}

export interface Job {
  id: string
  chatId?: string
  responseId?: string
  candidateId?: string
  title?: string
  /** The prompt, or the question of a research. */
  prompt?: string
  createdMs?: number
  finishedMs?: number
  /** A second time and a trailing 1 were there. */
  done: boolean
  /** Research only: see `RESEARCH_STATES`. */
  state?: number
}

/** One job. Shape: `[id,[,,,[cid,rid,rcid],[title,prompt]],[sec,nanos],[sec,nanos],1]`. Source: fact sheet §9.1 [M]. */
const JOB = wirePath('JOB', 0)
/** State of a research: field 70. Source: fact sheet §10.1 [M]. */
const JOB_STATE = wirePath('JOB_STATE', 69)

export function readJob(payload: unknown): Job | undefined {
  const job = read(payload, JOB)
  const id = readString(job, [0])
  if (id === undefined) return undefined
  const finishedMs = readTime(get(job, 3))
  return {
    id,
    done: finishedMs !== undefined && readNumber(job, [4]) === 1,
    ...withoutUndefined({
      chatId: readString(job, [1, 3, 0]),
      responseId: readString(job, [1, 3, 1]),
      candidateId: readString(job, [1, 3, 2]),
      title: readString(job, [1, 4, 0]),
      prompt: readString(job, [1, 4, 1]),
      createdMs: readTime(get(job, 2)),
      finishedMs,
      state: readNumber(job, JOB_STATE),
    }),
  }
}

export function buildJob({
  id,
  chatId,
  responseId,
  candidateId,
  title,
  prompt,
  createdMs = 0,
  finishedMs,
  done,
  state,
  research = false,
}: Job & { research?: boolean }): unknown[] {
  const about = [
    null,
    null,
    null,
    [chatId ?? null, responseId ?? null, candidateId ?? null],
    [title ?? null, prompt ?? null],
  ]
  const job: unknown[] = [id, about, buildTime(createdMs)]
  if (done) job.push(buildTime(finishedMs ?? createdMs), 1)
  // One client takes a research for done when the reply mentions the chip of its report. Source: fact sheet §10.1 [W].
  if (done && research) job.push({ 57: buildResearchJob(id, { running: false }) })
  else if (state !== undefined) job.push({ 70: state })
  return [job]
}
