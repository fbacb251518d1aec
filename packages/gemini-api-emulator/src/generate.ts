import { answerRequest, type Answer } from './answer/answer.ts'
import { joinResponses, toResponses, type GenerateResponse } from './answer/responses.ts'
import type { AnswerScript } from './controls.ts'
import type { Fault } from './faults.ts'
import type { EmulatedModel } from './models.ts'
import type { GenerateRequest } from './request.ts'
import { checkRequest } from './rules/check-request.ts'
import type { KnownFile } from './rules/media.ts'
import { RpcError } from './rpc-error.ts'
import { errorResponse, htmlResponse, jsonResponse, never, streamResponse, type StreamForm } from './wire.ts'

/** One generation, checked for who asks but not yet for what. */
export interface Generation {
  request: GenerateRequest
  model: EmulatedModel
  project: string
  /** Undefined for a whole answer. */
  form: StreamForm | undefined
  fault: Fault | undefined
  script: AnswerScript | undefined
  findFile: (id: string) => KnownFile | undefined
  chunkDelayMs: number
  signal: AbortSignal
  /** Code Assist puts each response into an envelope. */
  wrap: (response: GenerateResponse) => unknown
  /** Called when the answer begins and when it is over. */
  onBegin: () => void
  onEnd: () => void
}

/**
 * Answers, or fails as planned.
 *
 * @throws {RpcError} for what Google refuses.
 */
export async function generate(generation: Generation): Promise<Response> {
  const { request, model, project, form, fault, signal, wrap, onBegin, onEnd } = generation
  const answering = model.servedBy ?? model.name
  checkRequest(request, { model, answering, project, streamed: form !== undefined, findFile: generation.findFile })
  const early = await failEarly(fault, form, signal, onBegin, onEnd)
  if (early !== undefined) return early
  const answer =
    plannedAnswer(fault) ?? generation.script?.(request, answering) ?? (await answerRequest(request, model, answering))
  const responses =
    fault?.kind === 'blocked'
      ? [{ promptFeedback: { blockReason: fault.blockReason }, modelVersion: answering }]
      : toResponses(answer, request, model, answering)
  if (form === undefined) {
    const whole = fault?.kind === 'blocked' ? responses[0] : joinResponses(responses)
    return jsonResponse(wrap(whole ?? {}))
  }
  onBegin()
  const { chunkDelayMs } = generation
  return streamResponse({ form, chunks: responses.map(wrap), fault, chunkDelayMs, signal, onEnd })
}

async function failEarly(
  fault: Fault | undefined,
  form: StreamForm | undefined,
  signal: AbortSignal,
  onBegin: () => void,
  onEnd: () => void,
): Promise<Response | undefined> {
  switch (fault?.kind) {
    case 'error': {
      const error = new RpcError(fault.code, fault.status, fault.message, fault.details)
      return errorResponse(error, fault.array ?? form === 'sse')
    }
    case 'html':
      return htmlResponse(fault.code)
    case 'json':
      return jsonResponse(fault.body)
    case 'reset':
      if (fault.afterChunks === undefined || fault.afterChunks > 0) return undefined
      throw new TypeError('fetch failed')
    case 'silent':
      onBegin()
      return never(signal).finally(onEnd)
    default:
      return undefined
  }
}

function plannedAnswer(fault: Fault | undefined): Answer | undefined {
  if (fault?.kind !== 'finish') return undefined
  const { finishReason, finishMessage, candidate } = fault
  return {
    chunks: [],
    finishReason,
    candidate: { ...candidate, ...(finishMessage === undefined ? {} : { finishMessage }) },
  }
}
