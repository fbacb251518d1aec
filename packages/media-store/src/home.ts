/** What a home keeps beside the bytes. */
export interface HomeEntry {
  id: string
  mimeType: string
  /** Milliseconds since 1970. */
  storedAt: number
  /** A file name for people. Any characters. */
  name?: string
}

export interface StoredEntry extends HomeEntry {
  sizeBytes: number
}

/** Bytes `start` to `end`, both included, as in HTTP. */
export interface ByteRange {
  start: number
  end: number
}

export interface ListedEntry {
  id: string
  sizeBytes: number
  /** Milliseconds since 1970. */
  storedAt: number
}

/**
 * Where bytes live. A home knows nothing of limits, types or time: `createMediaStore` does. Every method throws
 * `MediaStoreError`; ids are always well formed.
 */
export interface MediaHome {
  /**
   * Stores all of the body or nothing. Nobody can read the item before the whole body is safe. An error thrown by the
   * body is thrown on as it is.
   *
   * @returns How many bytes the body had.
   */
  write(entry: HomeEntry, body: Uint8Array | AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<number>
  head(id: string, signal?: AbortSignal): Promise<StoredEntry | undefined>
  /** The bytes; nothing is opened before the first is asked for, and leaving the loop closes it. */
  read(id: string, range?: ByteRange, signal?: AbortSignal): AsyncIterable<Uint8Array>
  /** @returns False when the home knows that there was nothing. */
  remove(id: string): Promise<boolean>
  list(): AsyncIterable<ListedEntry>
  /** Removes what interrupted writes left behind. */
  tidy?(now: number): Promise<void>
  /** A URL that the home itself serves, good until `expiresAt`. */
  link?(id: string, expiresAt: number): Promise<string>
}
