import type { AttachedFile, Question } from './answer.ts'

export interface Conversation {
  /** What the user wants now. */
  last: string
  /** What the user and the system said before, oldest first. */
  earlier: string[]
  /** Answers given before, oldest first. */
  answers: string[]
  /** Attached files that are not the history of this conversation. */
  documents: AttachedFile[]
}

const ROLES = 'user|human|assistant|model|system|developer|instructions?|ai|gemini|tool|用户|助手|系统'
/**
 * A mark that opens a turn in a folded history: `User:`, `[user]`, `<user>`, `### User`, `**User**:`,
 * `--- user ---`, `<turn role="user">`. Callers fold in their own ways, so this is generous.
 */
const MARK = new RegExp(
  `^[ \\t]*(?:<\\w+\\s+role="?(${ROLES})"?[^>\\n]*>|#{1,6}[ \\t]*(${ROLES})[ \\t]*[:：]?[ \\t]*(?=\\n)|[\\[<(=*|-]{0,6}[ \\t]*(${ROLES})(?:[ \\t]+(?:turn|message|said|says))?(?:[ \\t]*#?\\d+)?[ \\t]*(?:[:：]\\*{0,2}|[\\]>)=*|-]{1,6}[:：]?))[ \\t]*\\n?`,
  'gimu',
)
const CLOSING = new RegExp(`\\s*(?:</(?:${ROLES}|turn|message)>|\\[/(?:${ROLES})\\])\\s*$`, 'iu')
const ANSWERING = /^(?:assistant|model|ai|gemini|助手)$/i
const ASKING = /^(?:user|human|用户)$/i

interface Segment {
  role: string
  text: string
}

/** Cuts a folded history into its turns; undefined for a prompt that holds none. */
export function readFoldedTurns(text: string): Segment[] | undefined {
  const marks = [...text.matchAll(MARK)]
  const roleOf = (mark: RegExpMatchArray): string => (mark[1] ?? mark[2] ?? mark[3] ?? '').toLowerCase()
  const first = marks[0]
  if (first === undefined || !marks.some((mark) => ASKING.test(roleOf(mark)))) return undefined
  if (marks.length < 2 && text.slice(0, first.index).trim() !== '') return undefined
  const segments = marks.map((mark, index) => ({
    role: roleOf(mark),
    text: text.slice(mark.index + mark[0].length, marks[index + 1]?.index ?? text.length).replace(CLOSING, ''),
  }))
  const lead = text.slice(0, first.index).trim()
  return lead === '' ? segments : [{ role: 'system', text: lead }, ...segments]
}

/** What was said before and what is asked now, from the chat, a folded prompt and attached text. */
export function readConversation({
  prompt,
  history,
  files,
}: Pick<Question, 'prompt' | 'history' | 'files'>): Conversation {
  const earlier: string[] = []
  const answers: string[] = []
  const documents: AttachedFile[] = []
  const collect = (segments: readonly Segment[]): void => {
    for (const { role, text } of segments) (ANSWERING.test(role) ? answers : earlier).push(text.trim())
  }
  for (const turn of history) {
    earlier.push(turn.prompt)
    answers.push(turn.text)
  }
  for (const file of files) {
    const turns = file.text === undefined ? undefined : readFoldedTurns(file.text)
    if (turns === undefined) documents.push(file)
    else collect(turns)
  }
  // Text to be repeated may look like anything, also like turns.
  const folded = /^\s*repeat exactly:/i.test(prompt) ? undefined : readFoldedTurns(prompt)
  if (folded === undefined) return { last: prompt, earlier, answers, documents }
  let index = folded.length - 1
  while (index > 0 && !ASKING.test(folded[index]?.role ?? '')) index--
  collect(folded.slice(0, index))
  const last = folded[index]?.text ?? prompt
  // The mark of the next turn, put there to be continued, is not part of what the user said.
  return { last: index === folded.length - 1 ? last : last.replace(/\n+$/, ''), earlier, answers, documents }
}
