import type { Caller, Exchange } from './exchange.ts'

/** What a call answers: a payload, or the status of its refusal. */
export type RpcResult = { payload: unknown } | { refused: number }

export interface RpcContext {
  exchange: Exchange
  caller: Caller
}

export type Rpc = (payload: unknown, context: RpcContext) => RpcResult

/** The arguments make no sense. */
export const INVALID: RpcResult = { refused: 3 }
/** Not for this caller. */
export const DENIED: RpcResult = { refused: 7 }
/** Done, and nothing to say. */
export const EMPTY: RpcResult = { payload: [] }
