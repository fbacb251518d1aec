import type { Answer, Question } from './answer.ts'
import type { Studio } from './compose.ts'
import { shorten } from './text.ts'

/** Step 1 of Deep Research: a plan that waits for its confirmation. Every prompt that is not the confirmation makes a new one. */
export function composePlan({ history }: Question, last: string, studio: Studio): Answer {
  const before = history.at(-1)?.extra
  const subject =
    before?.kind === 'plan'
      ? `${before.plan.title} (${shorten(last, 40)})`
      : shorten(last.replace(/[.:,;!?]+$/, ''), 60)
  return {
    title: subject,
    text: 'Here is the plan I put together. Tell me if anything should change before I start.\nhttp://googleusercontent.com/deep_research_confirmation_content/0\n',
    thoughts: '***Generating research plan***\n\nCollecting the areas that need to be covered.',
    activity: { label: 'Generating research plan' },
    extra: {
      kind: 'plan',
      jobId: studio.jobId(),
      plan: {
        title: subject,
        steps: [
          {
            label: 'Research websites',
            body: `(1) Find what is known about ${subject}.\n(2) Compare the sources.\n(3) List open questions.`,
          },
          { label: 'Analyze results' },
          { label: 'Create report' },
        ],
        duration: 'Ready in a few minutes',
        confirm: 'Start research',
        edit: 'Update the research plan',
      },
    },
  }
}

/** Step 2: accepted; the report is there when the job is done. */
export function composeResearch({ history }: Question, studio: Studio): Answer {
  const before = history.at(-1)
  const title = before?.extra?.kind === 'plan' ? before.extra.plan.title : 'Research'
  const question = history.find((turn) => turn.extra?.kind === 'plan')?.prompt ?? title
  return {
    title,
    text: "I'm on it. I'll let you know when the research is finished; you can leave this chat in the meantime.\nhttp://googleusercontent.com/immersive_entry_chip/0\n",
    extra: {
      kind: 'research',
      jobId: before?.extra?.kind === 'plan' ? before.extra.jobId : studio.jobId(),
      doneText:
        "I've completed your research. Feel free to ask follow-up questions or request changes.\nhttp://googleusercontent.com/immersive_entry_chip/0\n",
      report: {
        title,
        markdown:
          `# ${title}\n\n## 1. What was asked\n\n${shorten(question)} [cite: 1]\n\n## 2. What is known\n\n` +
          'Two independent sources describe the subject in the same way, and they agree on its main figures [cite: 1]. A third one differs in detail [cite: 2].\n\n' +
          '## 3. Open questions\n\n* Which of the figures will still hold next year\n* What the sources leave out\n',
        sources: [
          { url: 'https://research.example.org/overview', title: 'Overview of the subject' },
          { url: 'https://review.example.net/figures', title: 'Figures compared' },
        ],
      },
    },
  }
}
