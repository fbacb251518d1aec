import { isCookieImportError } from '@castorjs/cookie-import'
import { isGenerationError } from '@castorjs/content-generator'
import { isStateError } from '@castorjs/state-store'

/** Does the work of a command; what goes wrong in words of ours is one line on stderr and exit code 1. */
export async function orExit(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    const ours = isStateError(error) || isGenerationError(error) || isCookieImportError(error)
    if (!ours && !(error instanceof Error && error.constructor === Error)) throw error
    console.error(error.message)
    process.exitCode = 1
  }
}
