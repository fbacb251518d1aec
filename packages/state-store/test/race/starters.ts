import { fork, spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { bundleProcess } from '@castorjs/testkit/bundle-process'
import type { Answer, Order } from './child.ts'

/** A process that opens folders when it is told to. */
export interface Starter {
  tell(order: Order): Promise<Answer>
  kill(): Promise<void>
}

const UNSHARE = ['--pid', '--fork', '--mount-proc', '--kill-child']

/** Why pid namespaces, as containers have them, cannot be made here; undefined when they can. */
export const namespacesMissing: string | undefined =
  spawnSync('unshare', [...UNSHARE, 'true']).status === 0
    ? undefined
    : 'unshare cannot make pid namespaces here: folders of containers are not tested'

/** Starts processes, and ends them. */
export async function createStarters(): Promise<{
  start(options?: { namespace?: boolean }): Promise<Starter>
  close(): Promise<void>
}> {
  const { script, remove } = await bundleProcess(new URL('child.ts', import.meta.url))
  const children: ChildProcess[] = []
  return {
    async start({ namespace = false } = {}) {
      const child = namespace
        ? spawn('unshare', [...UNSHARE, process.execPath, script], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
        : fork(script)
      children.push(child)
      await once(child, 'message')
      return {
        async tell(order) {
          const answer = once(child, 'message')
          child.send(order)
          return ((await answer) as [Answer])[0]
        },
        async kill() {
          const ended = once(child, 'exit')
          child.kill('SIGKILL')
          await ended
        },
      }
    },
    async close() {
      for (const child of children) child.kill('SIGKILL')
      remove()
    },
  }
}
