/** A limit on what is counted under one key: at most `points` in a window that begins with the first. */
export interface Counter {
  key: string
  points: number
  /** Whole seconds, in milliseconds. */
  windowMs: number
}

/** Where a counter stands. */
export interface Count {
  /** Requests in the running window; with the one at hand, one more than the limit when that was refused. */
  count: number
  /** End of the window, in milliseconds from now. */
  resetMs: number
}

/** A place where counters are kept. */
export interface Counts {
  /** Counts a request unless the limit is reached. */
  add(counter: Counter): Promise<Count>
  /** Without counting; undefined where no window runs. */
  read(counter: Counter): Promise<Count | undefined>
  /**
   * Takes back what was counted, if the window it was counted in still runs; the next one is not touched.
   *
   * @param leftMs How long that window still runs, in milliseconds.
   * @returns Undefined when there was nothing to take back.
   */
  giveBack(counter: Counter, leftMs: number): Promise<Count | undefined>
}
