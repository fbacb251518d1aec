import { defineCittyPlugin, type ArgsDef } from 'citty'

/** What the parser made of a command line: options by name, the rest in `_`. */
interface Arguments {
  _: string[]
  [option: string]: unknown
}

/**
 * Refuses options that a command does not have and arguments too many, with exit code 1: the parser passes them over, and an
 * account whose `--proxy` was misspelt would leave by the address of this machine.
 */
export const knownArguments = defineCittyPlugin({
  name: 'known-arguments',
  setup({ args, cmd }) {
    const mistake = findMistake(args as Arguments, (cmd.args ?? {}) as ArgsDef)
    if (mistake === undefined) return
    console.error(`${mistake} Call this command with --help to see what it takes.`)
    process.exit(1)
  },
})

/** A sentence, or nothing. Arguments are not repeated in it: they may be cookies that were pasted. */
export function findMistake({ _: given, ...options }: Arguments, known: ArgsDef): string | undefined {
  const places = Object.values(known).filter(({ type }) => type === 'positional')
  for (const [name, value] of Object.entries(options)) {
    const definition = known[name]
    const dashes = name.length === 1 ? '-' : '--'
    if (definition === undefined)
      return `There is no option ${/^[\w-]{1,40}$/.test(name) ? dashes + name : 'like this'}.`
    if (definition.type === 'string' && value === '') return `--${name} needs a value.`
  }
  if (given.length > places.length) return 'There are more arguments than this command takes.'
  return undefined
}
