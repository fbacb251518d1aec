/** Deep Research plans, jobs and reports, and Canvas documents; both directions. Source: fact sheet §10.1, §10.2. */

import { withoutUndefined } from './fields.ts'
import { get, readBoolean, readList, readNumber, readString, wirePath, writeSlots } from './path.ts'

/** A plan that waits for confirmation, field 56. Texts are localised: send back the confirm prompt you received. Source: fact sheet §10.1 [M 2026-06]. */
export interface ResearchPlan {
  title: string
  steps: ResearchStep[]
  /** For example "Ready in a few minutes". */
  duration?: string
  /** The prompt that starts the research. */
  confirmPrompt: string
  placeholder?: string
  editLabel?: string
  editPrompt?: string
}

export interface ResearchStep {
  number: number
  label: string
  body?: string
}

export function readResearchPlan(value: unknown): ResearchPlan | undefined {
  const title = readString(value, [0])
  const confirmPrompt = readString(value, [3, 0])
  if (title === undefined || confirmPrompt === undefined) return undefined
  const steps = (readList(value, [1]) ?? []).map((step, index) => ({
    number: readNumber(step, [0]) ?? index + 1,
    label: readString(step, [1]) ?? '',
    ...withoutUndefined({ body: readString(step, [2]) }),
  }))
  return {
    title,
    steps,
    confirmPrompt,
    ...withoutUndefined({
      duration: readString(value, [2]),
      placeholder: readString(value, [4, 0]),
      editLabel: readString(value, [5, 0]),
      editPrompt: readString(value, [5, 1, 3]),
    }),
  }
}

export const RESEARCH_CONFIRMATION = 'http://googleusercontent.com/deep_research_confirmation_content/0'

export function buildResearchPlan({
  title,
  steps,
  duration,
  confirmPrompt,
  placeholder = RESEARCH_CONFIRMATION,
  editLabel = 'Edit plan',
  editPrompt = 'Update the research plan',
}: ResearchPlan): unknown[] {
  return [
    title,
    steps.map(({ number, label, body }) => (body === undefined ? [number, label] : [number, label, body])),
    duration ?? null,
    [confirmPrompt],
    [placeholder, 0],
    [editLabel, [null, null, null, editPrompt]],
  ]
}

/** Values of field 70. Source: fact sheet §4.5 [M]. */
export const RESEARCH_STATES = { awaitingConfirmation: 2, running: 3 } as const

/** Job id inside field 57. Shape: UUID. Source: fact sheet §10.1 [M 2026-06]. */
const RESEARCH_JOB = wirePath('RESEARCH_JOB', 0, 2)

export function readResearchJob(value: unknown): string | undefined {
  return readString(value, RESEARCH_JOB)
}

export const IMMERSIVE_CHIP = 'http://googleusercontent.com/immersive_entry_chip/0'

/** Field 57; the last number is 3 while it runs and 2 when it is done. */
export function buildResearchJob(jobId: string, { running = true }: { running?: boolean } = {}): unknown[] {
  return [[[IMMERSIVE_CHIP, 0], null, jobId, null, null, null, null, running ? 3 : 2]]
}

/** Field 58. Shape: `[,,,,[,,,,[left,used,total],,[[sec,nanos],_,[sec],_]]]`, what the numbers mean is a guess. Source: recorded 2026-03-16 [W]. */
export interface ResearchQuota {
  numbers: number[]
  resetSeconds?: number
}

export function readResearchQuota(value: unknown): ResearchQuota | undefined {
  const numbers = readList(value, [4, 4])?.filter((number) => typeof number === 'number')
  if (numbers === undefined) return undefined
  return { numbers, ...withoutUndefined({ resetSeconds: readNumber(value, [4, 6, 0, 0]) }) }
}

export function buildResearchQuota({ numbers, resetSeconds = 1_790_000_000 }: ResearchQuota): unknown[] {
  return [
    null,
    null,
    null,
    null,
    [null, null, null, null, numbers, null, [[resetSeconds, 0], 5, [resetSeconds - 20_000], [2, 3, 2]]],
  ]
}

/** Kinds of canvas entries. Source: fact sheet §10.2 [M 2026-09]. */
export const DOCUMENT_KINDS = { document: 1, code: 2, research: 3 } as const

/** An entry of candidate index 30: a canvas document, or a research report. Source: fact sheet §10.2 [M 2026-09]. */
export interface CanvasDocument {
  /** `<chat id>_<file>`; a running research has none, then its job id stands here. */
  id: string
  title?: string
  /** Research only. */
  jobId?: string
  /** The whole content so far; code is wrapped in a fence with its language. */
  content: string
  fileName?: string
  /** {@link DOCUMENT_KINDS} */
  kind?: number
  /** Code only. */
  language?: string
  /** Code only: no more will come. */
  final?: boolean
  /** Research only. */
  citations?: Citation[]
}

export interface Citation {
  /** The number used in the marker `[cite: n]`. */
  number?: number
  url: string
  title?: string
}

/** Citation groups inside an entry's index 5: field 44 of that message. Source: fact sheet §10.1 [W 2026-06]. */
const DOCUMENT_CITATIONS = wirePath('DOCUMENT_CITATIONS', 5, 43)
/** The same when the message sits in a list of its own, as `[[{"44":…}]]` or behind nulls. */
const DOCUMENT_CITATIONS_NESTED = wirePath('DOCUMENT_CITATIONS_NESTED', 5, 0, 43)

export function readDocument(entry: unknown): CanvasDocument | undefined {
  const jobId = readString(entry, [3])
  const id = readString(entry, [0]) ?? jobId
  if (id === undefined) return undefined
  const kind = readNumber(entry, [10])
  const code = kind === DOCUMENT_KINDS.code
  const citations = readCitations(entry)
  return {
    id,
    content: readString(entry, [4]) ?? '',
    ...withoutUndefined({
      title: readString(entry, [2]),
      jobId,
      fileName: readString(entry, [9]),
      kind,
      language: code ? readString(entry, [14, 1]) : undefined,
      final: code ? readBoolean(entry, [14, 4]) : undefined,
      citations: citations.length > 0 ? citations : undefined,
    }),
  }
}

function readCitations(entry: unknown): Citation[] {
  const groups = readList(entry, DOCUMENT_CITATIONS) ?? readList(entry, DOCUMENT_CITATIONS_NESTED) ?? []
  const citations: Citation[] = []
  for (const group of groups) {
    for (const items of Array.isArray(group) ? group.slice(1) : []) {
      for (const item of Array.isArray(items) ? items : []) {
        const url = readString(item, [3, 0, 1])
        if (url === undefined) continue
        citations.push({
          url,
          ...withoutUndefined({ number: readNumber(item, [3, 1]), title: readString(item, [3, 0, 2]) }),
        })
      }
    }
  }
  if (citations.length > 0) return citations
  // The shape is known from one source only; any link in that place is better than none.
  return [...new Set(collectLinks(get(entry, 5)))].map((url) => ({ url }))
}

function collectLinks(node: unknown): string[] {
  if (typeof node === 'string') return /^https?:\/\/(?!googleusercontent\.com\/)/.test(node) ? [node] : []
  if (typeof node !== 'object' || node === null) return []
  return Object.values(node).flatMap(collectLinks)
}

export function buildDocument({
  id,
  title,
  jobId,
  content,
  fileName,
  kind = DOCUMENT_KINDS.document,
  language,
  final = true,
  citations = [],
}: CanvasDocument): unknown[] {
  const research = jobId !== undefined
  const running = research && kind === DOCUMENT_KINDS.research
  const sources = citations.map(({ number, url, title }, index) => [
    null,
    null,
    null,
    [[null, url, title ?? null], number ?? index + 1],
  ])
  return writeSlots(
    {
      0: running ? undefined : id,
      2: title,
      3: jobId,
      4: content,
      5: running
        ? [null, null, null, null, null, null, null, []]
        : sources.length > 0
          ? [{ 44: [[null, sources]] }]
          : undefined,
      8: research ? [] : undefined,
      9: fileName,
      10: kind,
      14: research
        ? undefined
        : kind === DOCUMENT_KINDS.code
          ? [content, language ?? null, null, false, final]
          : [content, null, [], null, 'markdown'],
      16: true,
    },
    { length: research ? 17 : 18 },
  )
}

/** A finished research. */
export interface ResearchReport {
  title?: string
  /** Markdown with markers such as `[cite: n]`. */
  text: string
  citations: Citation[]
  jobId: string
}

/** The report among the documents of a candidate: one that belongs to a job, has text, and is no longer in progress. */
export function findReport(documents: readonly CanvasDocument[]): ResearchReport | undefined {
  for (const { jobId, content, kind, title, citations = [] } of documents) {
    if (jobId === undefined || content === '' || kind === DOCUMENT_KINDS.research) continue
    return { jobId, text: content, citations, ...withoutUndefined({ title }) }
  }
  return undefined
}

/** Whether a plain value anywhere inside `node` holds one of the marks that clients of a job reply look for. */
export function mentions(node: unknown, mark: string): boolean {
  if (typeof node === 'string') return node.includes(mark)
  if (typeof node !== 'object' || node === null) return false
  return Object.values(node).some((value) => mentions(value, mark))
}

/** Payload of `ku4Jyf`, the optional preflight. Source: fact sheet §6.2 [M]. */
export function toolBootstrapPayload(language = 'en'): unknown[] {
  return [language, null, null, null, 4, null, null, [2, 4, 7, 15], null, [[5]]]
}
