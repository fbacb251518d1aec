import type { Conversation } from './conversation.ts'

const ENGLISH_FACT = /\bmy ([a-z][a-z' -]{0,40}?) (?:is|are|was) (?:called |named )?([^\n.!?;,]{1,80})/gi
const ENGLISH_NAME = /\b(?:call me|i am called|i'm called|i am named) ([^\n.!?;,]{1,40})/gi
const THE_FACT =
  /\bthe ((?:secret |magic |code |pass)?(?:word|code|number|phrase|password|passphrase)) (?:is|was)[: ]+["“']?([^\n.!?;,"”']{1,80})/gi
const REMEMBER =
  /\bremember (?:this |the |that )?(?:the )?((?:secret |magic |code )?(?:word|code|number|phrase))[: ]+["“']?([^\n.!?;,"”']{1,80})/gi
const CHINESE_NAME = /我(?:叫|的名字(?:是|叫))\s*([^\s，。,.!！?？什]{1,20})/gu
const CHINESE_FACT = /我的([^\s，。是叫]{1,10})是\s*([^\s，。,.!！?？什]{1,20})/gu

/** What the user has said about themselves: the last statement wins. */
function readFacts(statements: readonly string[]): Map<string, string> {
  const facts = new Map<string, string>()
  for (const statement of statements) {
    for (const pattern of [ENGLISH_FACT, THE_FACT, REMEMBER, CHINESE_FACT]) {
      for (const [, key, value] of statement.matchAll(pattern))
        facts.set((key as string).toLowerCase(), (value as string).trim())
    }
    for (const pattern of [ENGLISH_NAME, CHINESE_NAME]) {
      for (const [, value] of statement.matchAll(pattern)) facts.set('name', (value as string).trim())
    }
  }
  return facts
}

/** Answers a question about what was said before; undefined for any other prompt. */
export function answerFromMemory({ last, earlier, notes, documents }: Conversation): string | undefined {
  const facts = readFacts([...documents.map((file) => file.text ?? ''), ...notes, ...earlier, last])
  if (/我(?:叫|的名字(?:是|叫))什么|我是谁/u.test(last)) {
    const name = facts.get('name')
    return name === undefined ? '你还没有告诉我你的名字。' : `你的名字是${name}。`
  }
  const chinese = /我的([^\s，。是叫]{1,10})(?:是|叫)什么/u.exec(last)?.[1]
  if (chinese !== undefined)
    return facts.has(chinese) ? `你的${chinese}是${facts.get(chinese)}。` : `你还没有告诉我你的${chinese}。`
  const asked =
    /\bwhat(?:'s|’s| is| was| are| were) my ([a-z][a-z' -]{0,40}?)\s*(?:\?|$|again|\.)/i.exec(last)?.[1] ??
    /\b(?:remember|know|tell me|recall) (?:what )?my ([a-z][a-z' -]{0,40}?)(?: is| was)?\s*[?.!]/i.exec(last)?.[1] ??
    (/\bwho am i\b/i.test(last) ? 'name' : undefined)
  if (asked !== undefined) {
    const key = asked.toLowerCase()
    const value = facts.get(key)
    return value === undefined ? `You have not told me your ${key} yet.` : `Your ${key} is ${value}.`
  }
  const thing =
    /\bwhat(?:'s|’s| is| was) the ((?:secret |magic |code |pass)?(?:word|code|number|phrase|password|passphrase))\b/i.exec(
      last,
    )?.[1] ?? /\b(?:which|what) ((?:secret |magic )?(?:word|code|number|phrase)) did i\b/i.exec(last)?.[1]
  if (thing !== undefined) {
    const key = thing.toLowerCase()
    const value = facts.get(key) ?? [...facts].find(([known]) => known.endsWith(key))?.[1]
    if (value !== undefined) return `The ${key} is ${value}.`
  }
  if (/\bwhat did i (?:say|ask|tell you)(?: you)? (?:first|at first|in the beginning)\b/i.test(last)) {
    return earlier[0] === undefined ? 'This is the first thing you said.' : `First you said: “${earlier[0]}”`
  }
  if (/\bwhat did i (?:just )?(?:say|ask|tell you)(?: you)?(?: before| last| earlier)?\b/i.test(last)) {
    const before = earlier.at(-1)
    return before === undefined ? 'You have not said anything before.' : `Before that you said: “${before}”`
  }
  return undefined
}
