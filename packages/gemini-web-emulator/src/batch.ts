import {
  encodeBatchReply,
  KNOWN_RPC_IDS,
  readBatchRequest,
  readForm,
  RPC,
  type BatchResultInput,
} from '@castorjs/gemini-web-protocol'
import { pause } from './clock.ts'
import { callerName, counterCookies, guestCookies, identify, takeFault, type Exchange } from './exchange.ts'
import { checkForm, checkToken } from './generate.ts'
import { isFramed, JSON_TYPE, respondError, respondFault, respondThrough } from './respond.ts'
import { callRpc } from './rpcs.ts'

/** batchexecute: the envelope; what the calls do is in `rpcs.ts`. Source: fact sheet §6.1. */
export async function batchExecute(exchange: Exchange, accountIndex: number): Promise<Response> {
  const { world, request, log, signal } = exchange
  const { settings } = world
  const refused = checkForm(exchange)
  if (refused !== undefined) return refused
  const { fReq, token } = readForm(await request.text())
  if (settings.log.secrets && token !== undefined) log.token = token
  const calls = fReq === undefined ? undefined : readBatchRequest(fReq)
  const caller = identify(exchange, accountIndex)
  log.caller = caller.verdict === 'ok' || caller.verdict === 'guest' ? callerName(caller) : `guest (${caller.verdict})`
  if (calls !== undefined)
    log.calls = calls.map(({ id, payload, slot }) => ({ id, payload, ...(slot === undefined ? {} : { slot }) }))
  const fault = takeFault(exchange, {
    place: 'batch',
    account: callerName(caller),
    rpcs: calls?.map((call) => call.id) ?? [],
  })
  await pause(settings.latency.rpc, signal)
  const broken = respondFault(exchange, fault)
  if (broken !== undefined) return broken
  // One unknown id and nothing is executed.
  if (calls === undefined || calls.some((call) => !KNOWN_RPC_IDS.has(call.id))) return respondError(exchange, 400, 3)
  const stale = checkToken(exchange, caller, token)
  if (stale !== undefined) return stale

  const results = calls.map(({ id, payload, slot = 'generic' }): BatchResultInput => {
    if (fault?.kind === 'code' && (fault.rpc === undefined || fault.rpc === id)) {
      return {
        id,
        slot,
        refusal:
          fault.code === 0 || fault.code < 100
            ? { status: fault.status ?? (fault.code || 7) }
            : { status: fault.status ?? 7, code: fault.code },
      }
    }
    const result = callRpc(id, payload, { exchange, caller })
    return 'refused' in result
      ? { id, slot, refusal: { status: result.refused } }
      : { id, slot, payload: result.payload }
  })
  // The order of results is not the order of the calls. Source: fact sheet §6.1.
  const body = encodeBatchReply(results.reverse(), { framed: isFramed(exchange), ms: 87 })
  const visitor = calls.some((call) => call.id === RPC.guestStart) ? guestCookies(exchange) : []
  return respondThrough(exchange, body, fault, {
    type: JSON_TYPE,
    headers: {
      'content-disposition': `attachment; filename="response.bin"; filename*=UTF-8''response.bin`,
      server: 'ESF',
    },
    setCookies: [...visitor, ...counterCookies(caller.account)],
  })
}
