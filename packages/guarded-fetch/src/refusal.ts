import { GenerationError, isGenerationError, toGenerationError } from '@castorjs/content-generator'
import { isTransportError } from '@castorjs/http-transport'

/** `invalid_request` about a file by URL. The message never quotes the URL: its query may hold a signature. */
export function refuse(fileUri: string, message: string): GenerationError {
  return new GenerationError('invalid_request', message, { fileUri })
}

/** `too_large`, with the limit and what to do instead. */
export function tooLarge(fileUri: string, host: string, maxBytes: number): GenerationError {
  const limit = `The file on ${host} is larger than the limit of ${formatBytes(maxBytes)}.`
  return new GenerationError('too_large', `${limit} Send a smaller file, or upload it and pass its file id.`, {
    fileUri,
  })
}

/** Whole units where they are exact, so that a limit of 20 MB reads as 20 MB. */
function formatBytes(bytes: number): string {
  if (bytes >= 1_048_576) return `${Math.round(bytes / 104_857.6) / 10} MB`
  return bytes >= 1024 ? `${Math.round(bytes / 102.4) / 10} KB` : `${bytes} bytes`
}

/** What went wrong while fetching, as a `GenerationError` with `fileUri`. */
export function toFetchError(error: unknown, fileUri: string, host: string, signal: AbortSignal): GenerationError {
  if (isGenerationError(error)) return error
  if (signal.aborted) return toGenerationError(signal.reason, signal)
  if (isTransportError(error)) {
    const reason = error.systemCode === undefined ? '' : ` (${error.systemCode})`
    return refuse(
      fileUri,
      `The file on ${host} could not be downloaded${reason}. Check the URL, or send the data itself.`,
    )
  }
  return toGenerationError(error, signal)
}
