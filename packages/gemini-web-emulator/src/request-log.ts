/** One request as the emulator understood it. */
export interface LoggedRequest {
  /** Counts from 1. */
  id: number
  /** Emulated Unix time in milliseconds. */
  atMs: number
  method: string
  host: string
  path: string
  query: Record<string, string>
  address: string
  /** Name of the account, `guest`, or `guest (unknown-session)` and the like. */
  caller: string
  /** When its last byte was sent or its caller was gone; undefined while it lasts. */
  endedAtMs?: number
  /** Status of the reply; 0 while it is not known. */
  status: number
  /** StreamGenerate: the decoded inner array. */
  inner?: unknown
  /** StreamGenerate: value of the model header. */
  modelHeader?: string
  /** batchexecute: the decoded calls. */
  calls?: Array<{ id: string; payload: unknown; slot?: string }>
  /** Other headers that matter; cookies, tokens and Authorization only with `log.secrets`. */
  headers: Record<string, string>
  /** `at` as it was sent; only with `log.secrets`. */
  token?: string
  /** What a strict server might have refused. */
  warnings: string[]
  /** The fault that struck it. */
  fault?: string
}

export interface RequestLog {
  readonly entries: readonly LoggedRequest[]
  add(entry: Omit<LoggedRequest, 'id' | 'status' | 'warnings'>, limit: number): LoggedRequest
  clear(): void
}

export function createRequestLog(): RequestLog {
  let entries: LoggedRequest[] = []
  let count = 0
  return {
    get entries() {
      return entries
    },
    add(fields, limit) {
      const entry: LoggedRequest = { ...fields, id: ++count, status: 0, warnings: [] }
      entries.push(entry)
      // Trimmed in halves, so that a full log costs nothing per request.
      if (entries.length > limit * 2) entries = entries.slice(-limit)
      return entry
    },
    clear() {
      entries = []
      count = 0
    },
  }
}

const SECRET = /^(?:cookie|authorization)$/
const KEPT =
  /^(?:user-agent|content-type|origin|referer|x-same-domain|x-goog-.*|push-id|x-tenant-id|x-client-pctx|accept-language|cookie|authorization)$/

/** Headers for the log, secrets only on request. */
export function loggedHeaders(headers: Headers, secrets: boolean): Record<string, string> {
  const kept: Record<string, string> = {}
  headers.forEach((value, name) => {
    if (!KEPT.test(name)) return
    kept[name] = SECRET.test(name) && !secrets ? '(hidden)' : value
  })
  return kept
}
