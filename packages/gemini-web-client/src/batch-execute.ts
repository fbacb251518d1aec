import {
  batchExecuteUrl,
  buildBatchRequest,
  buildForm,
  FrameError,
  HOSTS,
  findResult,
  readBatchReply,
  RPC,
  type BatchCall,
  type BatchReply,
  type RpcName,
} from '@castorjs/gemini-web-protocol'
import { GeminiWebError } from './error.ts'
import { postForm } from './post.ts'
import { refusalError } from './refusal-error.ts'
import type { Session } from './session.ts'
import { readText } from './wire.ts'
import { within } from './within.ts'

/** Longest reply to a batch: whole chats with research reports are in there. */
const REPLY_BYTES = 67_108_864

export interface BatchOptions {
  userAgent: string
  accountIndex?: number
  timeoutMs: number
  closed: AbortSignal
  /** Ids that are called otherwise now. */
  rpcIds?: Partial<Record<RpcName, string>>
}

/** Sends RPCs. */
export interface Batch {
  /**
   * One POST with several calls; their payloads in the order of the calls.
   *
   * @throws {GeminiWebError} for the first call that was refused, or for the whole reply.
   */
  all(calls: readonly BatchCall[], options?: BatchCallOptions): Promise<unknown[]>
  one(id: string, payload: unknown, options?: BatchCallOptions): Promise<unknown>
}

interface BatchCallOptions {
  signal?: AbortSignal
  /** Page the call pretends to come from. */
  sourcePath?: string
}

export function createBatch(
  session: Session,
  { userAgent, accountIndex, timeoutMs, closed, rpcIds: overrides = {} }: BatchOptions,
): Batch {
  const renamed = new Map((Object.keys(overrides) as RpcName[]).map((name) => [RPC[name] as string, overrides[name]]))
  const idOf = (id: string): string => renamed.get(id) ?? id

  async function send(
    calls: readonly BatchCall[],
    sourcePath: string | undefined,
    signal: AbortSignal,
  ): Promise<BatchReply> {
    const rpcIds = [...new Set(calls.map((call) => call.id))]
    const fReq = buildBatchRequest(calls)
    const response = await postForm(
      session,
      {
        url: (query) =>
          batchExecuteUrl(HOSTS.app, { ...query, rpcIds, ...(sourcePath === undefined ? {} : { sourcePath }) }),
        body: (token) => buildForm({ fReq, ...(token === undefined ? {} : { token }) }),
      },
      { userAgent, signal, ...(accountIndex === undefined ? {} : { accountIndex }) },
    )
    try {
      return readBatchReply(await readText(response, REPLY_BYTES, signal))
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      throw new GeminiWebError('drift', 'The reply to a call could not be read as frames', { cause: error })
    }
  }

  async function all(known: readonly BatchCall[], { signal, sourcePath }: BatchCallOptions = {}): Promise<unknown[]> {
    const calls = known.map((call) => ({ ...call, id: idOf(call.id) }))
    const reply = await within(timeoutMs, 'A call to the web app', [signal, closed], (own) =>
      send(calls, sourcePath, own),
    )
    if (reply.error !== undefined) throw refusalError({ status: reply.error.status }, { account: session.account })
    return calls.map((call) => {
      const result = findResult(reply, call.id, call.slot)
      if (result === undefined) {
        throw new GeminiWebError('drift', `The reply holds no result of the call ${call.id}`)
      }
      if (result.refusal !== undefined) throw refusalError(result.refusal, { account: session.account })
      return result.payload
    })
  }

  return {
    all,
    async one(id, payload, options) {
      const [result] = await all([{ id, payload }], options)
      return result
    },
  }
}
