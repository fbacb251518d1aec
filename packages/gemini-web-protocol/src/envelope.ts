/**
 * Entries of a reply and the envelope of batchexecute, both directions.
 * An entry is a tagged array around a payload that is itself JSON text. Source: fact sheet §4.2, §6.1 [S].
 */

import { createFrameEncoder, decodeFrames, encodeUnframed, type Frame } from './frames.ts'
import { get, isRecord, readNumber, readString, wirePath } from './path.ts'

/** Type name of the detail behind a refusal code. Source: fact sheet §5.1 [S]. */
const ERROR_INFO = 'type.googleapis.com/assistant.boq.bard.application.BardErrorInfo'

/** Refusal status at index 5. Shape: `[status]` or `[status,null,[[type,[code]]]]`. Source: fact sheet §5.1 [S]. */
const ENTRY_STATUS = wirePath('ENTRY_STATUS', 5, 0)
/** Detail code of a refusal. Shape: number. Source: fact sheet §5.1 [S]. */
const ENTRY_CODE = wirePath('ENTRY_CODE', 5, 2, 0, 1, 0)
/** HTTP status inside an `er` entry, and the framework's code behind it. Source: fact sheet §4.2 [S]. */
const ERROR_STATUS = wirePath('ERROR_STATUS', 5)
const ERROR_CODE = wirePath('ERROR_CODE', 9)
/** Extension number that carries the fresh request token: `{"48448350":["xsrf","<token>",["<account>"]]}`. Source: fact sheet §1.3 b [S]. */
const XSRF_EXTENSION = '48448350'

/** One entry of a reply, read. `refusal` stands for a `wrb.fr` without payload. */
export type Entry =
  | { type: 'message'; payload: string }
  | { type: 'rpc'; id: string; payload: string; slot?: string }
  | { type: 'refusal'; id: string | null; slot?: string; status: number; code?: number }
  | { type: 'error'; status: number; code?: number; xsrfToken?: string }
  | { type: 'server-time'; ms: number }
  | { type: 'end'; entries: number; bytes: number }
  | { type: 'other'; tag: string }

/** Reads one raw entry. What we do not know becomes `other`; nothing throws. */
export function readEntry(entry: unknown): Entry {
  const tag = get(entry, 0)
  switch (tag) {
    case 'wrb.fr':
      return readResult(entry)
    case 'er': {
      const code = readNumber(entry, ERROR_CODE)
      const xsrfToken = readExtensionToken(get(entry, 10))
      return {
        type: 'error',
        status: readNumber(entry, ERROR_STATUS) ?? 0,
        ...(code === undefined ? {} : { code }),
        ...(xsrfToken === undefined ? {} : { xsrfToken }),
      }
    }
    case 'di':
      return { type: 'server-time', ms: readNumber(entry, [1]) ?? 0 }
    case 'e':
      return { type: 'end', entries: readNumber(entry, [1]) ?? 0, bytes: readNumber(entry, [4]) ?? 0 }
    default:
      return { type: 'other', tag: typeof tag === 'string' ? tag : '' }
  }
}

function readResult(entry: unknown): Entry {
  const id = readString(entry, [1])
  const payload = get(entry, 2)
  const slot = readString(entry, [6])
  const slotPart = slot === undefined ? {} : { slot }
  if (typeof payload === 'string') {
    return id === undefined ? { type: 'message', payload } : { type: 'rpc', id, payload, ...slotPart }
  }
  const code = readNumber(entry, ENTRY_CODE)
  return {
    type: 'refusal',
    id: id ?? null,
    ...slotPart,
    // A result without payload and without status has not been seen; 0 keeps it visible as unknown.
    status: readNumber(entry, ENTRY_STATUS) ?? 0,
    ...(code === undefined ? {} : { code }),
  }
}

function readExtensionToken(detail: unknown): string | undefined {
  const list = Array.isArray(detail) ? detail : [detail]
  for (const item of list) {
    const extension = isRecord(item) ? item[XSRF_EXTENSION] : undefined
    if (get(extension, 0) === 'xsrf') return readString(extension, [1])
  }
  return undefined
}

const HTML_UNSAFE: Record<string, string> = { '=': '\\u003d', '<': '\\u003c', '>': '\\u003e', '&': '\\u0026' }

/** JSON text of a payload, with `= < > &` escaped as the upstream does. Source: fact sheet §4.1 [S]. */
export function encodePayload(value: unknown): string {
  return JSON.stringify(value).replace(/[=<>&]/g, (character) => HTML_UNSAFE[character] as string)
}

/** A StreamGenerate message as an entry. */
export function messageEntry(message: unknown): unknown[] {
  return ['wrb.fr', null, encodePayload(message)]
}

/** A batchexecute result as an entry; `slot` echoes the fourth element of the call. */
export function rpcEntry(id: string, payload: unknown, slot = 'generic'): unknown[] {
  return ['wrb.fr', id, encodePayload(payload), null, null, null, slot]
}

/** A refusal as an entry: of a call when `id` is given, else of the stream. */
export function refusalEntry({
  id,
  slot = 'generic',
  status,
  code,
}: {
  id?: string
  slot?: string
  status: number
  code?: number
}): unknown[] {
  const detail = code === undefined ? [status] : [status, null, [[ERROR_INFO, [code]]]]
  return id === undefined ? ['wrb.fr', null, null, null, null, detail] : ['wrb.fr', id, null, null, null, detail, slot]
}

export interface ErrorEntryInput {
  /** HTTP status, repeated inside the body. */
  status: number
  /** Code of the framework: 3 malformed, 9 wrong method, 16 authentication. */
  code: number
  /** A request token that works; only with 400. */
  xsrfToken?: string
  accountNumber?: string
}

/** The `er` entry of a request that failed as a whole. */
export function errorEntry({
  status,
  code,
  xsrfToken,
  accountNumber = '100000000000000000001',
}: ErrorEntryInput): unknown[] {
  const entry: unknown[] = ['er', null, null, null, null, status, null, null, null, code]
  if (xsrfToken !== undefined) entry.push([{ [XSRF_EXTENSION]: ['xsrf', xsrfToken, [accountNumber]] }])
  return entry
}

export interface TrailerInput {
  /** Server time in milliseconds. */
  ms: number
  /** Random signed 64-bit number as text. */
  nonce?: string
  small?: number
}

/** The `di` and `af.httprm` entries before the end marker. */
export function trailerEntries({ ms, nonce = '4611686018427387904', small = 21 }: TrailerInput): unknown[][] {
  return [
    ['di', ms],
    ['af.httprm', ms, nonce, small],
  ]
}

/** One call inside a batchexecute request. */
export interface BatchCall {
  id: string
  /** Encoded as JSON text inside the request. A read call whose text is not JSON has `undefined`. */
  payload: unknown
  /** Echoed in the result: tells two calls of one id apart. Default `generic`. */
  slot?: string
}

/** The `f.req` text of a batchexecute request. Source: fact sheet §6.1 [S]. */
export function buildBatchRequest(calls: readonly BatchCall[]): string {
  return JSON.stringify([calls.map(({ id, payload, slot = 'generic' }) => [id, JSON.stringify(payload), null, slot])])
}

/** Reads the calls of an `f.req` text; undefined when its nesting is wrong (HTTP 400, `er` 3). */
export function readBatchRequest(fReq: string): BatchCall[] | undefined {
  const calls = get(parse(fReq), 0)
  if (!Array.isArray(calls) || calls.length === 0) return undefined
  const read: BatchCall[] = []
  for (const call of calls) {
    const id = readString(call, [0])
    const payload = readString(call, [1])
    if (id === undefined || payload === undefined) return undefined
    read.push({ id, payload: parse(payload), slot: readString(call, [3]) ?? 'generic' })
  }
  return read
}

/** One result of a batchexecute reply. */
export interface BatchResult {
  id: string
  slot?: string
  /** The parsed payload; undefined when the call was refused. */
  payload: unknown
  refusal?: { status: number; code?: number }
}

export interface BatchReply {
  /** In the order of arrival, which is not the order of the calls. */
  results: BatchResult[]
  /** The whole request failed. */
  error?: { status: number; code?: number; xsrfToken?: string }
  /** The end marker was there. */
  complete: boolean
}

/** Reads a whole batchexecute body. @throws {FrameError} when it is no reply or was cut. */
export function readBatchReply(body: string | Uint8Array): BatchReply {
  const reply: BatchReply = { results: [], complete: false }
  for (const frame of decodeFrames(body)) {
    for (const raw of frame) {
      const entry = readEntry(raw)
      if (entry.type === 'rpc') {
        reply.results.push({
          id: entry.id,
          ...(entry.slot === undefined ? {} : { slot: entry.slot }),
          payload: parse(entry.payload),
        })
      } else if (entry.type === 'refusal') {
        const { id, slot, status, code } = entry
        reply.results.push({
          id: id ?? '',
          ...(slot === undefined ? {} : { slot }),
          payload: undefined,
          refusal: { status, ...(code === undefined ? {} : { code }) },
        })
      } else if (entry.type === 'error') {
        const { type: _, ...error } = entry
        reply.error = error
      } else if (entry.type === 'end') reply.complete = true
    }
  }
  return reply
}

/** The result of one call: by id, and by slot when the id was called more than once. */
export function findResult(reply: BatchReply, id: string, slot?: string): BatchResult | undefined {
  return reply.results.find(
    (result) => result.id === id && (slot === undefined || result.slot === undefined || result.slot === slot),
  )
}

/** What the emulator answers to one call: a payload, or a refusal. */
export type BatchResultInput =
  | { id: string; payload: unknown; slot?: string }
  | { id: string; refusal: { status: number; code?: number }; slot?: string }

export interface EncodeBatchReplyOptions {
  /** False writes the reply to a request without `rt`. Default true. */
  framed?: boolean
  /** Server time. Default 87. */
  ms?: number
  /** False puts each result into its own frame, as slow calls do. Default true. */
  together?: boolean
}

/** Writes a whole batchexecute body. */
export function encodeBatchReply(
  results: readonly BatchResultInput[],
  { framed = true, ms = 87, together = true }: EncodeBatchReplyOptions = {},
): string {
  const entries = results.map((result) =>
    'refusal' in result
      ? refusalEntry({ id: result.id, ...result.refusal, ...(result.slot === undefined ? {} : { slot: result.slot }) })
      : rpcEntry(result.id, result.payload, result.slot),
  )
  const trailer = trailerEntries({ ms, nonce: '-1311768467463790320', small: 25 })
  if (!framed) return encodeUnframed([...entries, ...trailer])
  const frames: Frame[] = together ? [[...entries, ...trailer]] : [...entries.map((entry) => [entry]), trailer]
  const encoder = createFrameEncoder()
  return frames.map((frame) => encoder.push(frame)).join('') + encoder.end()
}

/** Writes the body of a request that failed as a whole. */
export function encodeErrorReply({
  framed = true,
  ms = 11,
  ...error
}: ErrorEntryInput & { framed?: boolean; ms?: number }): string {
  const entries = [errorEntry(error), ...trailerEntries({ ms, nonce: '-1311768467463790320', small: 16 })]
  if (!framed) return encodeUnframed(entries)
  const encoder = createFrameEncoder()
  return encoder.push(entries) + encoder.end()
}

/** The fresh request token inside a 400 body, or undefined. Never throws: the body may be anything. Source: fact sheet §1.3 b [S]. */
export function readXsrfToken(body: string): string | undefined {
  try {
    for (const frame of decodeFrames(body)) {
      for (const raw of frame) {
        const entry = readEntry(raw)
        if (entry.type === 'error' && entry.xsrfToken !== undefined) return entry.xsrfToken
      }
    }
  } catch {
    // Not a reply: no token.
  }
  return undefined
}

/** The form body of a POST to the web app. Guests leave the token out. Source: fact sheet §3.1 [S]. */
export function buildForm({ fReq, token }: { fReq: string; token?: string }): string {
  const form = new URLSearchParams()
  if (token !== undefined) form.set('at', token)
  form.set('f.req', fReq)
  return `${form.toString()}&`
}

/** Reads a form body; fields that are missing or empty are left out. */
export function readForm(body: string): { fReq?: string; token?: string } {
  const form = new URLSearchParams(body)
  const fReq = form.get('f.req')
  const token = form.get('at')
  return { ...(fReq === null ? {} : { fReq }), ...(token === null || token === '' ? {} : { token }) }
}

/** JSON.parse that answers undefined instead of throwing. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
