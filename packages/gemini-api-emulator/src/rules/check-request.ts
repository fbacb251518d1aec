import type { EmulatedModel } from '../models.ts'
import type { GenerateRequest } from '../request.ts'
import { RpcError } from '../rpc-error.ts'
import { checkConfig } from './config.ts'
import { checkMedia, type KnownFile } from './media.ts'
import { checkSafety } from './safety.ts'
import { checkSignatures } from './signatures.ts'
import { checkTools } from './tools.ts'
import { checkTurns } from './turns.ts'

export interface RequestFacts {
  model: EmulatedModel
  /** The model that really answers. */
  answering: string
  project: string
  streamed: boolean
  findFile: (id: string) => KnownFile | undefined
}

/**
 * Everything Google refuses, in the order it looks.
 *
 * @throws {RpcError} for the first rule that is broken.
 */
export function checkRequest(request: GenerateRequest, facts: RequestFacts): void {
  const { model, answering, project, streamed, findFile } = facts
  checkSafety(request)
  checkTurns(request, model)
  checkTools(request, model)
  checkConfig(request, model, streamed)
  checkMedia(request, model, project, findFile)
  checkSignatures(request, model, answering)
  if (request.cachedContent !== undefined) {
    throw new RpcError(403, 'PERMISSION_DENIED', 'CachedContent not found (or permission denied)')
  }
}
