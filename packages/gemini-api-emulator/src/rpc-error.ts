/** An error as Google's front end tells it. */
export class RpcError extends Error {
  readonly code: number
  readonly status: string
  readonly details: readonly unknown[]

  constructor(code: number, status: string, message: string, details: readonly unknown[] = []) {
    super(message)
    this.code = code
    this.status = status
    this.details = details
  }
}

export const RPC = 'type.googleapis.com/google.rpc.'

/** 400 `INVALID_ARGUMENT`: what Google says to nearly everything it does not like. */
export function invalid(message: string, details: readonly unknown[] = []): RpcError {
  return new RpcError(400, 'INVALID_ARGUMENT', message, details)
}

/** 404 in the words that Google uses for models. */
export function modelNotFound(model: string, version: string, method: string): RpcError {
  return new RpcError(
    404,
    'NOT_FOUND',
    `models/${model} is not found for API version ${version}, or is not supported for ${method}. Call ModelService.ListModels to see the list of available models and their supported methods.`,
  )
}

/** The envelope of an error. */
export function errorBody({ code, message, status, details }: RpcError): { error: Record<string, unknown> } {
  return { error: { code, message, status, ...(details.length === 0 ? {} : { details }) } }
}
