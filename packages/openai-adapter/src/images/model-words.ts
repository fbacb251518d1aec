import type { GenerationError } from '@castorjs/content-generator'

/** By the error and not on it: who logs or traces an error cannot come upon what the model said. */
const WORDS = new WeakMap<GenerationError, string>()

/** Keeps what the model said in the place of a picture, for its caller alone: it is the answer. */
export function keepModelWords(error: GenerationError, words: string): GenerationError {
  WORDS.set(error, words)
  return error
}

/** What the model said, where words came instead of what was asked for. For the body of the answer, never for a log. */
export function modelWordsOf(error: GenerationError): string | undefined {
  return WORDS.get(error)
}
