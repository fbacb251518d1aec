/** Options of `awaitFirst`. */
export interface AwaitFirstOptions {
  /** Longest wait, in milliseconds. After it the stream is handed back while its first chunk is still on the way. */
  waitMs: number
}

/**
 * Waits for the first chunk while an HTTP status can still be chosen. A failure before it is thrown here;
 * afterwards it is thrown by the stream. After `waitMs` the stream is returned as it is, first chunk pending.
 * Leaving the returned loop leaves the source.
 */
export async function awaitFirst<Chunk>(
  source: AsyncIterable<Chunk>,
  { waitMs }: AwaitFirstOptions,
): Promise<AsyncIterable<Chunk>> {
  const iterator = source[Symbol.asyncIterator]()
  const first = iterator.next()
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    await Promise.race([first, new Promise((resolve) => (timer = setTimeout(resolve, waitMs)))])
  } finally {
    clearTimeout(timer)
  }
  // Whoever iterates sees a late failure; this keeps it from counting as unhandled until then.
  first.catch(() => undefined)
  let pending: Promise<IteratorResult<Chunk>> | undefined = first
  return {
    [Symbol.asyncIterator]: () => ({
      next() {
        const next = pending ?? iterator.next()
        pending = undefined
        return next
      },
      async return(value?: unknown) {
        await iterator.return?.(value)
        return { done: true, value: undefined }
      },
    }),
  }
}
