import { GenerationError, isGenerationError, type Part } from '@castorjs/content-generator'

/** Which field of the caller named which remote file, so that a failed download names the field. */
export interface FileFields {
  /** A part that refers to the file. */
  remember(url: string, field: string): Part
  /** The same error with the caller's own field in it, where it is about a file of this request. */
  name(error: unknown): unknown
}

export function createFileFields(): FileFields {
  const fields = new Map<string, string>()
  return {
    remember(url, field) {
      if (!fields.has(url)) fields.set(url, field)
      return { fileData: { fileUri: url } }
    },
    name(error) {
      if (!isGenerationError(error) || error.fileUri === undefined) return error
      const field = fields.get(error.fileUri)
      if (field === undefined) return error
      const { retryAfterMs, fault, fileUri, upstreamCode, suggestions } = error
      return new GenerationError(error.code, `\`${field}\`: ${error.message}`, {
        field,
        fault,
        fileUri,
        suggestions,
        cause: error,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        ...(upstreamCode === undefined ? {} : { upstreamCode }),
      })
    },
  }
}
