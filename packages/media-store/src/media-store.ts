import { SAMPLE_BYTES, readMediaType } from './media-type.ts'
import { peek } from './bytes.ts'
import { MediaStoreError } from './error.ts'
import type { ByteRange, HomeEntry, ListedEntry, MediaHome } from './home.ts'
import { createMediaId, readExpiry } from './media-id.ts'
import type { UrlSigner } from './url-signer.ts'

export interface MediaEntry {
  /** Cannot be guessed. Safe in a path; ends in an extension that fits the type where there is one. */
  id: string
  sizeBytes: number
  /** By the bytes, not by the label. */
  mimeType: string
  /** Strong, with its quotes: what stands behind an id never changes. */
  etag: string
  /** Milliseconds since 1970. */
  storedAt: number
  /** Milliseconds since 1970. */
  expiresAt: number
  name?: string
}

export interface MediaObject extends MediaEntry {
  /** The part of the item that `body` holds; absent for all of it. */
  range?: ByteRange
  /** Opened at the first byte; may be read once. */
  body: AsyncIterable<Uint8Array>
}

export interface PutOptions {
  /** What the sender calls it; believed only where the bytes have no signature. */
  mimeType?: string
  /** How long to keep it. Default: the store's. */
  ttlMs?: number
  /** A file name for people. */
  name?: string
  signal?: AbortSignal
}

export interface GetOptions {
  /** `end` is included and cut to the size. */
  range?: { start: number; end?: number }
  signal?: AbortSignal
}

export interface UrlOptions {
  /** How long the URL works; never longer than the item lives. Default: that long. */
  ttlMs?: number
  /** In place of the signer's base, such as the origin a request came to. */
  baseUrl?: string
}

export interface SweepResult {
  /** Items whose time was over. */
  expired: number
  /** Items removed, oldest first, to stay within `maxTotalBytes`. */
  evicted: number
  /** What is left. */
  totalBytes: number
}

/** Keeps bytes for a time and hands out URLs. */
export interface MediaStore {
  /** @throws {MediaStoreError} when it cannot be kept; what the body throws is thrown on. Nothing is kept then. */
  put(body: Uint8Array | AsyncIterable<Uint8Array>, options?: PutOptions): Promise<MediaEntry>
  /** Nothing when there is no such item or its time is over. A range past the end gives nothing either. */
  get(id: string, options?: GetOptions): Promise<MediaObject | undefined>
  head(id: string, options?: { signal?: AbortSignal }): Promise<MediaEntry | undefined>
  /** @throws {MediaStoreError} `not_configured` without a signer, unless the home serves URLs itself. */
  url(id: string, options?: UrlOptions): Promise<string>
  /** @returns False when the home knows that there was nothing; S3 does not say. */
  delete(id: string): Promise<boolean>
  /** Removes what is over, then the oldest until the rest fits. */
  sweep(): Promise<SweepResult>
}

export interface MediaStoreOptions {
  /** Default 86 400 000 (a day). */
  ttlMs?: number
  /** Limit for one item. Default 104 857 600 (100 MB). */
  maxBytes?: number
  /** Limit for all; the oldest go first. May be passed by one item while it is stored. Default 1 073 741 824 (1 GB). */
  maxTotalBytes?: number
  /** Signs the URLs that `createMediaHandler` serves. */
  signer?: UrlSigner
  /** Clock, for tests. */
  now?: () => number
}

/** Puts types, time and limits in front of a home. */
export function createMediaStore(
  home: MediaHome,
  {
    ttlMs: defaultTtlMs = 86_400_000,
    maxBytes = 104_857_600,
    maxTotalBytes = 1_073_741_824,
    signer,
    now = Date.now,
  }: MediaStoreOptions = {},
): MediaStore {
  const limit = Math.min(maxBytes, maxTotalBytes)
  /** Counted at the first write and by each sweep; other processes' writes are seen then. */
  let total: Promise<number> | undefined
  let sweeping: Promise<SweepResult> | undefined

  async function put(
    body: Uint8Array | AsyncIterable<Uint8Array>,
    { mimeType: label, ttlMs = defaultTtlMs, name, signal }: PutOptions = {},
  ): Promise<MediaEntry> {
    signal?.throwIfAborted()
    const whole = body instanceof Uint8Array
    if (whole && body.byteLength > limit) throw tooLarge(limit)
    const { sample, body: rest } = whole
      ? { sample: body.subarray(0, SAMPLE_BYTES), body }
      : await peek(body, SAMPLE_BYTES)
    const { mimeType, extension } = await readMediaType(sample.subarray(0, SAMPLE_BYTES), label)
    const storedAt = now()
    const entry: HomeEntry = {
      id: createMediaId(storedAt + ttlMs, extension),
      mimeType,
      storedAt,
      ...(name === undefined ? {} : { name }),
    }
    const sizeBytes = await home.write(entry, rest instanceof Uint8Array ? rest : limited(rest, limit, signal), signal)
    if (maxTotalBytes < Infinity) await account(sizeBytes)
    return toEntry({ ...entry, sizeBytes })
  }

  async function account(sizeBytes: number): Promise<void> {
    total = total === undefined ? measure(home) : total.then((bytes) => bytes + sizeBytes)
    if ((await total) > maxTotalBytes) await sweep()
  }

  async function head(id: string, { signal }: { signal?: AbortSignal } = {}): Promise<MediaEntry | undefined> {
    const expiresAt = readExpiry(id)
    if (expiresAt === undefined || expiresAt <= now()) return undefined
    const stored = await home.head(id, signal)
    return stored === undefined ? undefined : toEntry(stored)
  }

  async function get(id: string, { range, signal }: GetOptions = {}): Promise<MediaObject | undefined> {
    const entry = await head(id, signal === undefined ? {} : { signal })
    if (entry === undefined) return undefined
    if (range === undefined) return { ...entry, body: home.read(id, undefined, signal) }
    const part = { start: range.start, end: Math.min(range.end ?? Infinity, entry.sizeBytes - 1) }
    if (part.start < 0 || part.start > part.end) return undefined
    return { ...entry, range: part, body: home.read(id, part, signal) }
  }

  async function url(id: string, { ttlMs = Infinity, baseUrl }: UrlOptions = {}): Promise<string> {
    const expiresAt = readExpiry(id)
    if (expiresAt === undefined) throw new MediaStoreError('not_configured', 'This is not the id of a stored item')
    const until = Math.min(expiresAt, now() + ttlMs)
    if (signer !== undefined) return signer.sign(id, until, baseUrl)
    if (home.link !== undefined) return home.link(id, until)
    throw new MediaStoreError(
      'not_configured',
      'URLs need a `signer` with the public base URL of the gateway (PUBLIC_BASE_URL)',
    )
  }

  async function removeAll(entries: readonly ListedEntry[]): Promise<void> {
    for (const { id } of entries) await home.remove(id)
  }

  async function sweepNow(): Promise<SweepResult> {
    const at = now()
    const kept: ListedEntry[] = []
    const expired: ListedEntry[] = []
    for await (const entry of home.list()) ((readExpiry(entry.id) ?? 0) <= at ? expired : kept).push(entry)
    await removeAll(expired)
    kept.sort((a, b) => a.storedAt - b.storedAt)
    let totalBytes = kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const evicted: ListedEntry[] = []
    for (const entry of kept) {
      if (totalBytes <= maxTotalBytes) break
      totalBytes -= entry.sizeBytes
      evicted.push(entry)
    }
    await removeAll(evicted)
    await home.tidy?.(at)
    total = Promise.resolve(totalBytes)
    return { expired: expired.length, evicted: evicted.length, totalBytes }
  }

  function sweep(): Promise<SweepResult> {
    sweeping ??= sweepNow().finally(() => (sweeping = undefined))
    return sweeping
  }

  return {
    put,
    get,
    head,
    url,
    delete: async (id) => {
      if (readExpiry(id) === undefined) return false
      total = undefined
      return home.remove(id)
    },
    sweep,
  }
}

async function measure(home: MediaHome): Promise<number> {
  let bytes = 0
  for await (const { sizeBytes } of home.list()) bytes += sizeBytes
  return bytes
}

function toEntry(stored: HomeEntry & { sizeBytes: number }): MediaEntry {
  const { id, sizeBytes, mimeType, storedAt, name } = stored
  const entry = { id, sizeBytes, mimeType, etag: `"${id}"`, storedAt, expiresAt: readExpiry(id) ?? 0 }
  return name === undefined ? entry : { ...entry, name }
}

async function* limited(
  body: AsyncIterable<Uint8Array>,
  limit: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of body) {
    signal?.throwIfAborted()
    size += chunk.byteLength
    if (size > limit) throw tooLarge(limit)
    yield chunk
  }
}

function tooLarge(limit: number): MediaStoreError {
  return new MediaStoreError('too_large', `The item is larger than the limit of ${limit} bytes`)
}
