import { bundleProcess, type ProcessBundle } from '@castorjs/testkit/bundle-process'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** `castor` as people run it, built from the source of this moment. */
export type Cli = ProcessBundle

export const bundleCli = (): Promise<Cli> => bundleProcess(new URL('../src/cli.ts', import.meta.url))

/** One run of it. */
export interface CliProcess {
  child: ChildProcess
  /** Both outputs so far. */
  readonly text: string
  /** Resolves when the process has said so, with what it said; rejects when it ends before. */
  said: (pattern: RegExp) => Promise<RegExpExecArray>
  ended: Promise<{ code: number | null; text: string }>
}

/** @param env All it gets, but for `PATH`. */
export function startCli({ script }: Cli, args: string[], cwd: string, env: Record<string, string>): CliProcess {
  const child = spawn(process.execPath, [script, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  const hear = (piece: Buffer): void => void (text += piece.toString())
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, text }))
  return {
    child,
    get text() {
      return text
    },
    async said(pattern) {
      for (;;) {
        const found = pattern.exec(text)
        if (found !== null) return found
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`The process ended: ${text}`)
        await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data'), ended])
      }
    },
    ended,
  }
}

/** Ends it, whatever it does. */
export async function killCli({ child, ended }: CliProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  await ended
}
