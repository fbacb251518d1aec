import { expect, it } from 'vitest'
import { answerFromMemory } from './memory.ts'

const ask = (last: string, ...earlier: string[]): string | undefined =>
  answerFromMemory({ last, earlier, notes: [], answers: [], documents: [] })

it.each([
  ['What is my name?', ['My name is Ada.'], 'Your name is Ada.'],
  ['Who am I?', ['Please call me Ada'], 'Your name is Ada.'],
  [
    'what’s my favourite colour?',
    ['My favourite colour is teal, and my name is Ada'],
    'Your favourite colour is teal.',
  ],
  ['Do you remember my name?', ['My name is Ada', 'Sorry, my name is Bea'], 'Your name is Bea.'],
  ['What is the secret word?', ['The secret word is "heron".'], 'The secret word is heron.'],
  ['What number did I tell you?', ['Remember the number 42'], 'The number is 42.'],
  ['What is my name?', [], 'You have not told me your name yet.'],
  ['我叫什么？', ['我叫小明。'], '你的名字是小明。'],
  ['我的爱好是什么？', ['我的爱好是游泳。'], '你的爱好是游泳。'],
  ['What did I say before?', ['one', 'two'], 'Before that you said: “two”'],
  ['What did I say first?', ['one', 'two'], 'First you said: “one”'],
  ['What is a name?', ['My name is Ada'], undefined],
])('answers %j', (last, earlier, answer) => {
  expect(ask(last, ...earlier)).toBe(answer)
})
