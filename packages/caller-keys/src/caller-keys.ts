import { GenerationError, readApiKey, type Caller } from '@castorjs/content-generator'
import { checkFuture, checkSettings, type CallerKey, type CallerKeySettings } from './caller-key.ts'
import { createKeyText, equalTexts, hashKey, isKeyId, readKeyId } from './key-text.ts'

/** Where keys are kept. A `StateStore` of `@castorjs/state-store` is one. */
export interface RecordStore {
  get(key: string): Promise<{ value: unknown; version: number } | undefined>
  /** Writes only if nobody wrote in between; version 0 when there must be no record. Gives nothing when somebody did. */
  compareAndSet(key: string, version: number, value: unknown): Promise<number | undefined>
  delete(key: string): Promise<boolean>
  list(prefix: string): AsyncIterable<{ key: string; value: unknown }>
}

export interface CallerKeysOptions {
  store: RecordStore
  /** Begins the key of every record. Default `caller-keys/`. */
  prefix?: string
  /** How long a checked key is believed without asking the store again, in milliseconds. Default 5 000. */
  cacheMs?: number
  /** Most keys there can be. Default 10 000. */
  maxKeys?: number
  /** Clock, for tests. */
  now?: () => number
}

export interface CallerKeys {
  /** Makes a key. `key` is its only appearance: it cannot be read again. */
  create(settings: CallerKeySettings): Promise<{ key: string; record: CallerKey }>
  /** Every key, oldest first, without secrets. */
  list(): Promise<CallerKey[]>
  get(id: string): Promise<CallerKey | undefined>
  /** Changes settings; `undefined` inside `changes` lifts a restriction. Gives nothing for an unknown id. */
  update(id: string, changes: Partial<CallerKeySettings>): Promise<CallerKey | undefined>
  /**
   * A new secret for a key that keeps its id, its settings and its place in the ledger; the old one ends. `key` is its
   * only appearance. Gives nothing for an unknown id.
   */
  rotate(id: string): Promise<{ key: string; record: CallerKey } | undefined>
  /** @returns False when there was none of this id. */
  remove(id: string): Promise<boolean>
  /** @throws {GenerationError} `unauthenticated` for no key, an unknown, disabled or expired one. */
  check(key: string | undefined): Promise<CallerKey>
  /**
   * The key of a caller that was let in a moment ago, as it is now.
   * @throws {GenerationError} `unauthenticated` for one that was removed, switched off or has expired meanwhile.
   */
  checkId(id: string): Promise<CallerKey>
  /** The check as a dialect's `authorize`: reads the key from any of the places clients use. */
  authorize(request: Request): Promise<Caller>
}

interface Stored {
  key: CallerKey
  hash: string
}

/** Compared with when there is no record, so that an unknown id takes as long as a known one. */
const NO_HASH = '0'.repeat(64)
const MAX_TRIES = 20

/** Keys for callers. Only their hashes are kept. */
export function createCallerKeys({
  store,
  prefix = 'caller-keys/',
  cacheMs = 5_000,
  maxKeys = 10_000,
  now = Date.now,
}: CallerKeysOptions): CallerKeys {
  const cache = new Map<string, { stored: Stored; until: number }>()
  /** Grows with every change made here: what was read before a change must not be remembered after it. */
  let changes = 0

  function forget(id: string): void {
    changes++
    cache.delete(id)
  }

  async function read(id: string): Promise<{ stored: Stored; version: number } | undefined> {
    const record = isKeyId(id) ? await store.get(prefix + id) : undefined
    return record === undefined ? undefined : { stored: record.value as Stored, version: record.version }
  }

  async function find(id: string): Promise<Stored | undefined> {
    const known = cache.get(id)
    if (known !== undefined && known.until > now()) return known.stored
    const before = changes
    const found = await read(id)
    if (found === undefined) cache.delete(id)
    else if (before === changes) cache.set(id, { stored: found.stored, until: now() + cacheMs })
    return found?.stored
  }

  async function list(): Promise<CallerKey[]> {
    const keys: CallerKey[] = []
    for await (const { value } of store.list(prefix)) keys.push((value as Stored).key)
    return keys.sort((left, right) => left.createdAt - right.createdAt)
  }

  async function check(text: string | undefined): Promise<CallerKey> {
    if (text === undefined || text === '') {
      throw new GenerationError(
        'unauthenticated',
        'No API key was sent. Send it as `Authorization: Bearer <key>`, `x-api-key`, `x-goog-api-key` or `?key=`.',
      )
    }
    const id = readKeyId(text)
    const stored = id === undefined ? undefined : await find(id)
    const matches = equalTexts(stored?.hash ?? NO_HASH, await hashKey(text))
    if (stored === undefined || !matches) throw unknownKey()
    return usable(stored.key)
  }

  /** @throws {GenerationError} `unauthenticated` for a key that is switched off or expired. */
  function usable(key: CallerKey): CallerKey {
    if (!key.enabled) {
      throw new GenerationError('unauthenticated', `The API key "${key.name}" is switched off. Ask the operator.`)
    }
    if (key.expiresAt !== undefined && key.expiresAt <= now()) {
      const when = new Date(key.expiresAt).toISOString()
      throw new GenerationError('unauthenticated', `The API key "${key.name}" expired at ${when}. Ask for a new one.`)
    }
    return key
  }

  /** Changes a record under nobody's feet. @returns What was written; nothing for an unknown id. */
  async function change(id: string, alter: (stored: Stored) => Stored): Promise<Stored | undefined> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const found = await read(id)
      if (found === undefined) return undefined
      const stored = alter(found.stored)
      // Also where the store failed: it may have written all the same.
      const version = await store.compareAndSet(prefix + id, found.version, stored).finally(() => forget(id))
      if (version !== undefined) return stored
    }
    throw new GenerationError('upstream_unavailable', 'The key kept changing while it was updated. Try again.')
  }

  return {
    async create(settings) {
      if (settings.name === undefined) checkSettings({ ...settings, name: '' })
      checkSettings(settings)
      checkFuture(settings.expiresAt, now())
      if ((await list()).length >= maxKeys) {
        throw new GenerationError('invalid_request', `There are ${maxKeys} keys already. Remove one that is not used.`)
      }
      const { id, key } = createKeyText()
      const record: CallerKey = {
        ...known(settings),
        name: settings.name,
        id,
        enabled: settings.enabled ?? true,
        createdAt: now(),
      }
      const stored: Stored = { key: record, hash: await hashKey(key) }
      await store.compareAndSet(prefix + id, 0, stored)
      return { key, record }
    },
    list,
    async get(id) {
      return (await find(id))?.key
    },
    async update(id, settings) {
      checkSettings(settings)
      return (await change(id, (stored) => ({ ...stored, key: { ...stored.key, ...known(settings) } })))?.key
    },
    async rotate(id) {
      const { key } = createKeyText(id)
      const hash = await hashKey(key)
      const stored = await change(id, (old) => ({ ...old, hash }))
      return stored === undefined ? undefined : { key, record: stored.key }
    },
    async remove(id) {
      if (!isKeyId(id)) return false
      return store.delete(prefix + id).finally(() => forget(id))
    },
    check,
    async checkId(id) {
      const stored = await find(id)
      if (stored === undefined) throw unknownKey()
      return usable(stored.key)
    },
    async authorize(request) {
      return { id: (await check(readApiKey(request))).id }
    },
  }
}

function unknownKey(): GenerationError {
  return new GenerationError('unauthenticated', 'The API key is not one of this server.')
}

/** The settings we know, and nothing else a form may have sent. */
function known(settings: Partial<CallerKeySettings>): Partial<CallerKeySettings> {
  const kept: Partial<CallerKeySettings> = {}
  if (settings.name !== undefined) kept.name = settings.name
  if (settings.enabled !== undefined) kept.enabled = settings.enabled
  if ('upstreams' in settings) kept.upstreams = settings.upstreams
  if ('models' in settings) kept.models = settings.models
  if ('limits' in settings) kept.limits = settings.limits
  if ('expiresAt' in settings) kept.expiresAt = settings.expiresAt
  return kept
}
