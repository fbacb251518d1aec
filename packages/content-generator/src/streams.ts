/** What stands between an upstream and a dialect has one of these per chunk; an async generator costs several times as much. */

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

/**
 * A stream that is opened when its first value is pulled, and from then on costs nothing: each pull goes straight to
 * what was opened.
 */
export function openOnPull<Value>(open: () => Promise<AsyncIterable<Value>>): AsyncIterable<Value> {
  return {
    [Symbol.asyncIterator]() {
      let opening: Promise<AsyncIterator<Value>> | undefined
      let iterator: AsyncIterator<Value> | undefined
      let left = false

      async function begin(): Promise<AsyncIterator<Value>> {
        const opened = (await open())[Symbol.asyncIterator]()
        iterator = opened
        return opened
      }
      return {
        next() {
          if (iterator !== undefined) return iterator.next()
          if (left) return Promise.resolve(DONE)
          return (opening ??= begin()).then((opened) => (left ? DONE : opened.next()))
        },
        async return() {
          left = true
          // What is still being opened cannot be left before it is there. One that failed has nothing to leave.
          const opened = iterator ?? (await opening?.catch(() => undefined))
          await opened?.return?.()
          return DONE
        },
      }
    },
  }
}

/**
 * The same stream with each value looked at or replaced on its way. What `map` throws ends the stream, after its
 * source was left.
 */
export function mapValues<From, To>(
  source: AsyncIterable<From>,
  map: (value: From) => To | Promise<To>,
): AsyncIterable<To> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]()
      let ended = false

      async function leave(): Promise<void> {
        ended = true
        await iterator.return?.()
      }
      function fail(error: unknown): Promise<never> {
        return leave().then(
          () => Promise.reject(error as Error),
          () => Promise.reject(error as Error),
        )
      }
      function step(next: IteratorResult<From>): IteratorResult<To> | Promise<IteratorResult<To>> {
        if (next.done === true) return DONE
        try {
          const value = map(next.value)
          if (!(value instanceof Promise)) return { done: false, value }
          return value.then((mapped) => ({ done: false, value: mapped }), fail)
        } catch (error) {
          return fail(error)
        }
      }
      return {
        next: () => (ended ? Promise.resolve(DONE) : iterator.next().then(step)),
        async return() {
          await leave()
          return DONE
        },
      }
    },
  }
}
