import { RESEARCH_STATES, type Candidate, type ResearchPlan, type ResearchReport } from '@castorjs/gemini-web-protocol'
import type { TurnOptions } from './client.ts'
import { GeminiWebError } from './error.ts'
import type { ChatState, WebReply } from './reply.ts'
import { sleep } from './within.ts'

/** A plan that waits to be started, or changed by another turn in its chat. */
export interface PlannedResearch {
  plan: ResearchPlan
  chat: ChatState
  reply: WebReply
}

/** A research that is running. Plain data: it can be kept and polled later. */
export interface RunningResearch {
  chat: ChatState
  jobId?: string
}

export type ResearchStatus = { state: 'running'; waitedMs?: number } | { state: 'done'; report: ResearchReport }

export interface Research {
  /** Asks for a plan. @throws {GeminiWebError} `empty_answer` when the app answers in words instead. */
  plan(prompt: string, options?: TurnOptions): Promise<PlannedResearch>
  /** Confirms a plan. */
  start(planned: Pick<PlannedResearch, 'plan' | 'chat'>, options?: TurnOptions): Promise<RunningResearch>
  poll(running: RunningResearch, options?: { signal?: AbortSignal }): Promise<ResearchStatus>
  /** Polls until the report is there; one `running` per look. @throws {GeminiWebError} `media_not_ready` */
  watch(running: RunningResearch, options?: { signal?: AbortSignal }): AsyncGenerator<ResearchStatus>
  /** The report, however long it takes. */
  result(running: RunningResearch, options?: { signal?: AbortSignal }): Promise<ResearchReport>
}

export interface ResearchPorts {
  generate: (prompt: string, options?: TurnOptions) => Promise<WebReply>
  readNewest: (chatId: string, responseId: string | undefined, signal?: AbortSignal) => Promise<Candidate | undefined>
  closed: AbortSignal
  /** Pause between two looks, and the longest wait, in milliseconds. */
  polling: { researchMs: number; researchTotalMs: number }
}

/** A text of this length is a report even without the structure of one. Source: fact sheet section 10.1. */
const REPORT_CHARACTERS = 200

export function createResearch({ generate, readNewest, closed, polling }: ResearchPorts): Research {
  async function poll({ chat }: RunningResearch, { signal }: { signal?: AbortSignal } = {}): Promise<ResearchStatus> {
    const candidate = await readNewest(chat.chatId, undefined, signal)
    const report = candidate === undefined ? undefined : readReport(candidate)
    return report === undefined ? { state: 'running' } : { state: 'done', report }
  }

  async function* watch(
    running: RunningResearch,
    { signal }: { signal?: AbortSignal } = {},
  ): AsyncGenerator<ResearchStatus> {
    const begun = performance.now()
    for (;;) {
      const status = await poll(running, signal === undefined ? {} : { signal })
      const waitedMs = performance.now() - begun
      yield status.state === 'done' ? status : { ...status, waitedMs }
      if (status.state === 'done') return
      if (waitedMs + polling.researchMs > polling.researchTotalMs) {
        throw new GeminiWebError('media_not_ready', 'The research was not finished when the time was over')
      }
      await sleep(polling.researchMs, signal, closed)
    }
  }

  return {
    async plan(prompt, options) {
      const reply = await generate(prompt, { ...options, tool: 'research', temporary: false })
      if (reply.plan === undefined || reply.chat === undefined) {
        throw new GeminiWebError('empty_answer', 'The app answered without a research plan')
      }
      return { plan: reply.plan, chat: reply.chat, reply }
    },
    async start({ plan, chat }, options) {
      const reply = await generate(plan.confirmPrompt, { ...options, chat, tool: 'research', temporary: false })
      return {
        chat: reply.chat ?? chat,
        ...(reply.researchJob === undefined ? {} : { jobId: reply.researchJob }),
      }
    },
    poll,
    watch,
    async result(running, options) {
      for await (const status of watch(running, options)) if (status.state === 'done') return status.report
      throw new GeminiWebError('media_not_ready', 'The research ended without a report')
    },
  }
}

function readReport(candidate: Candidate): ResearchReport | undefined {
  if (candidate.report !== undefined) return candidate.report
  if (candidate.researchState === RESEARCH_STATES.running) return undefined
  const document = candidate.documents.find(({ content }) => content.length >= REPORT_CHARACTERS)
  if (document === undefined) return undefined
  return {
    jobId: document.jobId ?? '',
    text: document.content,
    citations: document.citations ?? [],
    ...(document.title === undefined ? {} : { title: document.title }),
  }
}
