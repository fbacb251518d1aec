/** Those who wait for an account, first come first served. */
export interface WaitingLine {
  /** Takes a place; give it back with `leave`. */
  join(): Place
  /** Something may be free: the first in line looks, and passes the chance on if it cannot use it. */
  wake(): void
  readonly length: number
}

interface Place {
  /** Resolves when a chance comes or after `ms`; rejects with the signal's reason. */
  wait(ms: number, signal?: AbortSignal): Promise<void>
  /** Hands a chance that was of no use to the next in line. */
  passOn(): void
  /** Gives the place up, and an unused chance with it. */
  leave(used: boolean): void
}

export function createWaitingLine(): WaitingLine {
  const line = new Set<{ wake: ((passOn: () => void) => void) | undefined }>()

  /** Offers a chance to each of `rest` in turn until one takes it. */
  function offer(rest: Iterator<{ wake: ((passOn: () => void) => void) | undefined }>): void {
    for (let next = rest.next(); next.done !== true; next = rest.next()) {
      if (!line.has(next.value) || next.value.wake === undefined) continue
      next.value.wake(() => offer(rest))
      return
    }
  }

  return {
    wake: () => offer([...line].values()),
    get length() {
      return line.size
    },
    join() {
      const place: { wake: ((passOn: () => void) => void) | undefined } = { wake: undefined }
      let chance: (() => void) | undefined
      line.add(place)
      function passOn(): void {
        const unused = chance
        chance = undefined
        unused?.()
      }
      return {
        passOn,
        leave(used) {
          line.delete(place)
          if (!used) passOn()
        },
        wait(ms, signal) {
          signal?.throwIfAborted()
          return new Promise((resolve, reject) => {
            const timer = setTimeout(end, Math.min(ms, 2 ** 31 - 1))
            const leave = (): void => {
              end()
              reject(signal?.reason as Error)
            }
            signal?.addEventListener('abort', leave, { once: true })
            place.wake = (next) => {
              chance = next
              end()
            }
            function end(): void {
              clearTimeout(timer)
              signal?.removeEventListener('abort', leave)
              place.wake = undefined
              resolve()
            }
          })
        },
      }
    },
  }
}
