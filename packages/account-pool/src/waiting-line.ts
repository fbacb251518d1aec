/** Those who wait for an account, first come first served. */
export interface WaitingLine {
  /** Takes a place; give it back with `leave`. */
  join(): Place
  /** A place may be free: the first in line looks, and passes the chance on if it cannot use it. */
  wake(): void
  /** Many may be free: those in line look in turn, whatever those before them found. */
  wakeAll(): void
  readonly length: number
}

interface Place {
  /** Resolves when a chance comes or after `ms`; rejects with the signal's reason. */
  wait(ms: number, signal?: AbortSignal): Promise<void>
  /** Hands a chance that was of no use to the next in line. */
  passOn(): void
  /** Gives the place up, and with it a chance that was not used or is for all. */
  leave(used: boolean): void
}

interface Chance {
  passOn: () => void
  forAll: boolean
}

interface Waiting {
  /** Undefined while it does not wait. */
  wake: ((chance: Chance) => void) | undefined
}

export function createWaitingLine(): WaitingLine {
  const line = new Set<Waiting>()

  /** Offers a chance to each of `rest` in turn until one takes it, or to all of them. */
  function offer(rest: Iterator<Waiting>, forAll: boolean): void {
    for (let next = rest.next(); next.done !== true; next = rest.next()) {
      if (!line.has(next.value) || next.value.wake === undefined) continue
      next.value.wake({ passOn: () => offer(rest, forAll), forAll })
      return
    }
  }

  return {
    wake: () => offer([...line].values(), false),
    wakeAll: () => offer([...line].values(), true),
    get length() {
      return line.size
    },
    join() {
      const place: Waiting = { wake: undefined }
      let chance: Chance | undefined
      line.add(place)
      function passOn(): void {
        const unused = chance
        chance = undefined
        unused?.passOn()
      }
      return {
        passOn,
        leave(used) {
          line.delete(place)
          if (!used || chance?.forAll === true) passOn()
        },
        async wait(ms, signal) {
          signal?.throwIfAborted()
          await new Promise<void>((resolve, reject) => {
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
