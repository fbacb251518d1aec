import { onAbort } from './within.ts'

/** A place to work; give it back exactly once. */
type Release = () => void

/** Lets a few generations run at a time, and one per chat. Those that wait are served in the order they came. */
export interface Limiter {
  /** Waits for a place. @throws the signal's reason when it aborts first. */
  acquire(signal: AbortSignal, chatId?: string): Promise<Release>
  readonly running: number
  readonly waiting: number
}

export interface LimiterOptions {
  /** Generations at a time. */
  max: number
  /** Whether turns of one chat wait for each other. */
  serialChats: boolean
}

interface Waiter {
  chatId: string | undefined
  start: () => void
}

export function createLimiter({ max, serialChats }: LimiterOptions): Limiter {
  const queue: Waiter[] = []
  const busyChats = new Set<string>()
  let running = 0

  function isFree(chatId: string | undefined): boolean {
    return running < max && !(serialChats && chatId !== undefined && busyChats.has(chatId))
  }

  function take(chatId: string | undefined): Release {
    running++
    if (chatId !== undefined) busyChats.add(chatId)
    let held = true
    return () => {
      if (!held) return
      held = false
      running--
      if (chatId !== undefined) busyChats.delete(chatId)
      startNext()
    }
  }

  function startNext(): void {
    for (;;) {
      const index = queue.findIndex((waiter) => isFree(waiter.chatId))
      if (index < 0) return
      const [waiter] = queue.splice(index, 1)
      waiter?.start()
    }
  }

  return {
    async acquire(signal, chatId) {
      signal.throwIfAborted()
      if (isFree(chatId)) return take(chatId)
      return new Promise((resolve, reject) => {
        const waiter: Waiter = {
          chatId,
          start() {
            release()
            resolve(take(chatId))
          },
        }
        function leave(): void {
          const index = queue.indexOf(waiter)
          if (index >= 0) queue.splice(index, 1)
          release()
          reject(signal.reason as Error)
        }
        const release = onAbort(signal, leave)
        queue.push(waiter)
      })
    },
    get running() {
      return running
    },
    get waiting() {
      return queue.length
    },
  }
}
