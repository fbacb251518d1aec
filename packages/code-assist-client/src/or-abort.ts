/** The result, unless the caller leaves first; whoever else waits for the result still gets it. */
export function orAbort<Result>(result: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason as Error)
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave, { once: true })
    void result.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}
