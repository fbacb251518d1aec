/** One request, as plain data. */
export interface TransportRequest {
  /** Default `GET`. */
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD'
  /** Sent as they are. Nothing is added but what HTTP needs (`host`, `content-length` or `transfer-encoding`). */
  headers?: Record<string, string>
  /** A string is sent as UTF-8. An iterable is streamed, with back-pressure; what it throws is thrown on. */
  body?: string | Uint8Array | AsyncIterable<Uint8Array>
  /** Ends the exchange at any moment: before the answer the call rejects, after it the body throws, with the signal's reason. */
  signal?: AbortSignal
}

/** One answer. Its body can be read once, in one way: by `body`, `text`, `json`, `bytes` or `discard`. */
export interface TransportResponse {
  readonly status: number
  /** Value of a header, lower-case name; several are joined by ", " (never use for set-cookie). */
  header(name: string): string | undefined
  /** Every Set-Cookie line, in order. */
  setCookies(): string[]
  /** The bytes as they arrive, any `content-encoding` undone. Leaving the loop frees the socket. May be read once. */
  readonly body: AsyncIterable<Uint8Array>
  /** @throws {TransportError} `too_large` when the body is longer than `maxBytes`; the socket is freed. */
  text(maxBytes?: number): Promise<string>
  /** @throws {SyntaxError} without the text when the body is not JSON. */
  json(maxBytes?: number): Promise<unknown>
  bytes(maxBytes?: number): Promise<Uint8Array>
  /** Frees the socket without reading. */
  discard(): Promise<void>
}

/** One HTTP exchange. Never follows redirects, never retries, never adds cookies. Rejects with TransportError or the signal's reason. */
export type Transport = (url: string, request?: TransportRequest) => Promise<TransportResponse>
