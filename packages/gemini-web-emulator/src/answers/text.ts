import { createRandom, hashText } from '../ids.ts'
import type { AttachedFile, Question } from './answer.ts'
import type { Conversation } from './conversation.ts'
import { describeFile, quoteText } from './files.ts'
import { asJson } from './json.ts'
import { answerFromMemory } from './memory.ts'

/** The longest text made on request, in words or numbers. */
const MOST = 200_000

/** The words of an answer, by the first rule that fits. */
export function answerInWords(question: Question, conversation: Conversation): string {
  const { last } = conversation
  const exact = repeated(last)
  if (exact !== undefined) return exact
  const answer =
    aboutTheModel(question, last) ??
    answerFromMemory(conversation) ??
    counted(last) ??
    written(last) ??
    dictated(last) ??
    calculated(last) ??
    aboutFiles(conversation.documents, last) ??
    general(question, conversation)
  return asJson(conversation, answer) ?? answer
}

/** `Repeat exactly: …`, byte for byte. */
function repeated(prompt: string): string | undefined {
  return /repeat exactly:[ \n]?([\s\S]*)$/i.exec(prompt)?.[1]
}

function aboutTheModel({ model }: Question, prompt: string): string | undefined {
  if (/你是(?:什么|哪个|哪一个)(?:大?模型|版本)|什么模型/u.test(prompt)) return `我是 Gemini ${model.name}。`
  if (
    /\b(?:what|which) (?:ai |language |gemini )?(?:model|version)\b[^.?!\n]{0,30}\b(?:are you|is this|am i)\b/i.test(
      prompt,
    )
  ) {
    return `I am Gemini ${model.name}.`
  }
  return undefined
}

function counted(prompt: string): string | undefined {
  const to = /\bcount (?:from (\d+) )?(?:up )?to (\d{1,6})/i.exec(prompt)
  if (to === null) return undefined
  const first = Number(to[1] ?? 1)
  const last = Math.min(Number(to[2]), first + MOST)
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index).join(
    prompt.includes('line') ? '\n' : ', ',
  )
}

const WORDS =
  'the river light stone quiet morning paper window garden under slow bright walk letter north harbour glass winter seven open field small lamp green answer cloud early bridge'.split(
    ' ',
  )

/** `Write N words …`: exactly N words, a paragraph every eighty. */
function written(prompt: string): string | undefined {
  const asked =
    /\b(?:write|give me|produce|generate)(?: me)?(?: about| exactly| at least| some)? (\d{1,6})[ -]words?\b/i.exec(
      prompt,
    )?.[1]
  const sentences =
    /\b(?:write|give me|produce|generate)(?: me)?(?: about| exactly)? (\d{1,5}) (sentence|paragraph|line)s?\b/i.exec(
      prompt,
    )
  if (asked === undefined && sentences === null) return undefined
  const random = createRandom(hashText(prompt))
  const per = sentences?.[2]?.toLowerCase() === 'paragraph' ? 40 : 8
  const total = Math.min(MOST, asked === undefined ? Number(sentences?.[1]) * per : Number(asked))
  const breakAfter = asked === undefined ? per : 80
  const parts: string[] = []
  let open = true
  for (let index = 1; index <= total; index++) {
    const word = WORDS[Math.floor(random() * WORDS.length)] as string
    const ends = index === total || index % breakAfter === 0 || index % 12 === 0
    parts.push(
      open ? word[0]?.toUpperCase() + word.slice(1) : word,
      ends ? '.' : '',
      index === total ? '' : index % breakAfter === 0 ? '\n\n' : ' ',
    )
    open = ends
  }
  return parts.join('')
}

/** `Reply with only X`, `Say X`. */
function dictated(prompt: string): string | undefined {
  const words =
    /^\s*(?:please |just |now )?(?:say|reply|answer|respond)(?: with)?(?: only| exactly| just)*(?: with)?(?: the (?:single )?(?:word|text|phrase))?[: ]+["“'`]?([^\n"”`]{1,200}?)["”'`]?\s*[.!]?\s*$/i.exec(
      prompt,
    )?.[1]
  return words === undefined || /^(?:me|to|this|that|the|in|a|an|my|my|your|if|about|how|why|what)\b/i.test(words)
    ? undefined
    : words
}

function calculated(prompt: string): string | undefined {
  const sum = /(-?\d+(?:\.\d+)?)\s*([-+*x×/÷]|plus|minus|times|divided by)\s*(-?\d+(?:\.\d+)?)/i.exec(prompt)
  if (sum === null || !/what|how much|calculate|compute|=|等于|多少/iu.test(prompt)) return undefined
  const [left, right] = [Number(sum[1]), Number(sum[3])]
  const results: Record<string, number> = {
    '+': left + right,
    plus: left + right,
    '-': left - right,
    minus: left - right,
    '/': left / right,
    '÷': left / right,
    'divided by': left / right,
  }
  const result = results[(sum[2] as string).toLowerCase()] ?? left * right
  return `${sum[1]} ${sum[2]} ${sum[3]} = ${Number(result.toPrecision(12))}`
}

function aboutFiles(files: readonly AttachedFile[], prompt: string): string | undefined {
  if (files.length === 0) return undefined
  const parts = files.map((file) =>
    file.text === undefined ? describeFile(file) : `${file.name} says:\n\n${quoteText(file.text)}`,
  )
  return `${parts.join('\n\n')}\n\nThat is what I see for “${shorten(prompt)}”.`
}

function general({ gem, history }: Question, { last, earlier, notes }: Conversation): string {
  const lines = [`You asked: “${shorten(last)}”`]
  const before = earlier.at(-1)
  if (before !== undefined)
    lines.push(
      `Before that you said: “${shorten(before)}” (turn ${Math.max(history.length, 1) + 1} of this conversation).`,
    )
  if (notes.length > 0) lines.push(`I keep to this instruction: “${shorten(notes.join(' '))}”`)
  if (gem !== undefined) lines.push(`As ${gem.name} I follow my instruction: ${shorten(gem.prompt)}`)
  lines.push(
    'I am the local stand-in for the Gemini web app, so I know nothing about it, but I always answer the same question in the same way.',
  )
  return lines.join('\n\n')
}

/** At most 240 characters of one line, never half of a pair. */
export function shorten(text: string, most = 240): string {
  const line = text.trim().replace(/\s+/g, ' ')
  if (line.length <= most) return line
  return `${line.slice(0, most).replace(/[\ud800-\udbff]$/, '')}…`
}
