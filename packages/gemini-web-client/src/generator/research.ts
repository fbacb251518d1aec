import type { Citation, ResearchPlan } from '@castorjs/gemini-web-protocol'
import type { GeminiWebClient, TurnOptions } from '../client.ts'

/** What a research has to tell, in order. */
export interface ResearchStep {
  thought?: string
  text?: string
  citations?: readonly Citation[]
  chatId?: string
}

/** Pause of silence after which a word of progress is due. */
const PROGRESS_MS = 45_000

/** Plans, confirms, waits and reports; the plan and the waiting are told as thoughts. */
export async function* streamResearch(
  client: GeminiWebClient,
  prompt: string,
  turn: TurnOptions,
): AsyncGenerator<ResearchStep> {
  const planned = await client.research.plan(prompt, turn)
  yield { thought: describePlan(planned.plan), chatId: planned.chat.chatId }
  // The files belong to the first turn; the second only says yes.
  const running = await client.research.start(planned, { ...turn, files: [] })
  const { signal } = turn
  let told = 0
  for await (const status of client.research.watch(running, signal === undefined ? {} : { signal })) {
    if (status.state === 'done') {
      yield { text: status.report.text, citations: status.report.citations }
      return
    }
    const { waitedMs = 0 } = status
    if (waitedMs - told < PROGRESS_MS) continue
    told = waitedMs
    yield { thought: `Still researching after ${Math.round(waitedMs / 1000)} seconds.\n` }
  }
}

function describePlan({ title, steps, duration }: ResearchPlan): string {
  const lines = steps.map(({ number, label, body }) => `${number}. ${label}${body === undefined ? '' : `: ${body}`}`)
  return [`Research plan: ${title}`, ...lines, ...(duration === undefined ? [] : [duration])].join('\n') + '\n\n'
}
