import type { GenerateContentResponse, GenerationConfig } from '@castorjs/content-generator'
import type { RequestBody } from '@castorjs/gemini-api-client/wire'

export interface WrapFields {
  model: string
  project: string
  /** One per user turn. */
  promptId: string
  /** One per conversation and model. */
  sessionId: string
}

/**
 * Puts a request into Code Assist's envelope. The outer names are snake_case, and `session_id` sits inside.
 * Source: `code-assist.md` section 4.1.
 */
export function wrapRequest(
  body: RequestBody,
  { model, project, promptId, sessionId }: WrapFields,
): Record<string, unknown> {
  // Fields of the Gemini API that Gemini CLI never sends here.
  const { store: _, serviceTier: __, generationConfig, systemInstruction, ...request } = body
  return {
    model,
    project,
    user_prompt_id: promptId,
    request: {
      ...request,
      ...(systemInstruction === undefined ? {} : { systemInstruction: { role: 'user', ...systemInstruction } }),
      ...(generationConfig === undefined ? {} : { generationConfig: withoutPictures(generationConfig) }),
      session_id: sessionId,
    },
  }
}

/** Nothing draws here, and Gemini CLI never sends the field. */
function withoutPictures(given: GenerationConfig): GenerationConfig {
  const config = { ...given }
  delete config.imageConfig
  return config
}

/** Takes an answer out of its envelope; the trace id stands for the missing response id. */
export function unwrapResponse(event: Record<string, unknown>): GenerateContentResponse | undefined {
  const { response, traceId } = event
  if (typeof response !== 'object' || response === null) return undefined
  const answer = response as GenerateContentResponse
  if (answer.responseId !== undefined || typeof traceId !== 'string') return answer
  return { ...answer, responseId: traceId }
}
