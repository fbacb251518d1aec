import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { hasCode } from './file-errors.ts'

/**
 * A process as its lock names it. The number means something only where it was given: every container counts from 1,
 * and so does every boot.
 */
export interface LockHolder {
  pid: number
  host: string
  /** Boot of the kernel, where it can be read (Linux). */
  boot?: string
  /** Pid namespace, where there are some (Linux). */
  pids?: string
  /** Of this one lock. */
  id: string
}

export async function describeThisProcess(): Promise<LockHolder> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => undefined)
  const pids = await readlink('/proc/self/ns/pid').catch(() => undefined)
  return {
    pid: process.pid,
    host: hostname(),
    ...(boot === undefined ? {} : { boot: boot.trim() }),
    ...(pids === undefined ? {} : { pids }),
    id: crypto.randomUUID(),
  }
}

/** What a lock says, as far as it says anything. */
export function readHolder(text: string): Partial<LockHolder> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

/** Whether a holder lives; `unknown` where its number means nothing to us: another host, container or boot. */
export function askHolder(holder: Partial<LockHolder>, self: LockHolder): 'alive' | 'dead' | 'unknown' {
  const here = holder.host === self.host && holder.boot === self.boot && holder.pids === self.pids
  if (!here || typeof holder.pid !== 'number') return 'unknown'
  // Ours by number but not held by us: a container starts with the same number every time.
  if (holder.pid === self.pid) return 'dead'
  try {
    process.kill(holder.pid, 0)
    return 'alive'
  } catch (error) {
    return hasCode(error, 'EPERM') ? 'alive' : 'dead'
  }
}
