import type { AttachedFile, Question } from './answer.ts'

export interface Conversation {
  /** What the user wants now. */
  last: string
  /** What the user said before, oldest first. */
  earlier: string[]
  /** Instructions: what neither side said in the conversation. */
  notes: string[]
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

/** Marks between dashes, as Castor's own client folds: the number of dashes is the same throughout. */
const DASHED = /^(-{3,}) (?:system|user|model) \1$/m

/** Cuts a folded history into its turns; undefined for a prompt that holds none. */
export function readFoldedTurns(text: string): Segment[] | undefined {
  const dashes = DASHED.exec(text)?.[1]
  const mark = dashes === undefined ? MARK : new RegExp(`^${dashes} (system|user|model) ${dashes}(?:\\n|$)`, 'gm')
  const marks = [...text.matchAll(mark)]
  const roleOf = (found: RegExpMatchArray): string => (found[1] ?? found[2] ?? found[3] ?? '').toLowerCase()
  const first = marks[0]
  if (first === undefined) return undefined
  const lead = text.slice(0, first.index).trim()
  if (dashes === undefined && !marks.some((found) => ASKING.test(roleOf(found)))) return undefined
  if (dashes === undefined && marks.length < 2 && lead !== '') return undefined
  const segments = marks.map((found, index) => {
    const next = marks[index + 1]?.index
    const said = text.slice(found.index + found[0].length, next)
    if (dashes !== undefined)
      return { role: roleOf(found), text: next === undefined ? said : said.replace(/\n{1,2}$/, '') }
    return { role: roleOf(found), text: said.replace(CLOSING, '') }
  })
  // What stands before dashed marks explains the marks.
  return lead === '' || dashes !== undefined ? segments : [{ role: 'system', text: lead }, ...segments]
}

/** What was said before and what is asked now, from the chat, a folded prompt and attached text. */
export function readConversation({
  prompt,
  history,
  files,
}: Pick<Question, 'prompt' | 'history' | 'files'>): Conversation {
  const earlier: string[] = []
  const answers: string[] = []
  const notes: string[] = []
  const documents: AttachedFile[] = []
  const collect = (segments: readonly Segment[]): void => {
    for (const { role, text } of segments) {
      const list = ANSWERING.test(role) ? answers : ASKING.test(role) ? earlier : notes
      if (text.trim() !== '') list.push(text.trim())
    }
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
  if (folded === undefined) return { last: prompt, earlier, notes, answers, documents }
  let index = folded.length - 1
  while (index > 0 && !ASKING.test(folded[index]?.role ?? '')) index--
  collect(folded.slice(0, index))
  const last = folded[index]?.text ?? prompt
  // The mark of the next turn, put there to be continued, is not part of what the user said.
  return { last: index === folded.length - 1 ? last : last.replace(/\n+$/, ''), earlier, notes, answers, documents }
}
