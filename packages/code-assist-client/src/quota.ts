/** What is left of an allotment, as Google tells it. Not to be trusted: a 429 knows better. */
export interface QuotaBucket {
  model: string
  /** `REQUESTS`, … */
  kind: string
  /** 0 to 1; undefined where nothing was said. */
  remaining: number | undefined
  /** Whole requests or tokens; undefined where nothing was said. */
  remainingAmount: number | undefined
  /** Milliseconds since the epoch. */
  resetsAt: number | undefined
}

/** Reads the answer of `retrieveUserQuota`. Source: `code-assist.md` section 4.4. */
export function readQuota(answer: Record<string, unknown>): QuotaBucket[] {
  const buckets: unknown[] = Array.isArray(answer.buckets) ? answer.buckets : []
  return buckets.flatMap((bucket): QuotaBucket[] => {
    if (typeof bucket !== 'object' || bucket === null) return []
    const { modelId, tokenType, remainingFraction, remainingAmount, resetTime } = bucket as Record<string, unknown>
    if (typeof modelId !== 'string') return []
    const reset = typeof resetTime === 'string' ? Date.parse(resetTime) : Number.NaN
    const amount =
      typeof remainingAmount === 'string' || typeof remainingAmount === 'number' ? Number(remainingAmount) : Number.NaN
    return [
      {
        model: modelId,
        kind: typeof tokenType === 'string' ? tokenType : '',
        remaining: typeof remainingFraction === 'number' ? remainingFraction : undefined,
        remainingAmount: Number.isFinite(amount) ? amount : undefined,
        resetsAt: Number.isNaN(reset) ? undefined : reset,
      },
    ]
  })
}
