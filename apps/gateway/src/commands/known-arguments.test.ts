import { parseArgs, type ArgsDef, type CommandDef } from 'citty'
import { expect, it } from 'vitest'
import { accountsCommand } from './accounts.ts'
import { findMistake, knownArguments } from './known-arguments.ts'

/** What `castor accounts …` says to its arguments. The other commands are run in test/cli-arguments.test.ts. */
function judge(command: 'add' | 'list', given: string[]): string | undefined {
  const { plugins, args = {} } = (accountsCommand.subCommands as Record<string, CommandDef>)[command] ?? {}
  expect(plugins).toContain(knownArguments)
  return findMistake(parseArgs(given, args as ArgsDef), args as ArgsDef)
}

it.each([
  [['cookies.txt']],
  [['-', '--label', 'ada', '--index=1', '--proxy', 'socks5://127.0.0.1:1']],
  [['--label=ada', 'cookies.txt']],
])('takes accounts add %j', (given) => {
  expect(judge('add', given)).toBeUndefined()
})

it.each([
  [['cookies.txt', '--proxi', 'socks5://127.0.0.1:1'], 'There is no option --proxi.'],
  [['cookies.txt', '-p', 'socks5://127.0.0.1:1'], 'There is no option -p.'],
  [['cookies.txt', '--index'], '--index needs a value.'],
  [['cookies.txt', '--g.a000hunter2'], 'There is no option like this.'],
  [['cookies.txt', 'g.a000hunter2'], 'There are more arguments than this command takes.'],
])('refuses accounts add %j', (given, sentence) => {
  expect(judge('add', given)).toBe(sentence)
})

it('refuses accounts list with an argument', () => {
  expect(judge('list', ['ada'])).toBe('There are more arguments than this command takes.')
})
