import { GenerationError, type ContentGenerator } from '@castorjs/content-generator'

/** What is missing, in the words of people, and what to do about it. */
export interface Missing {
  what: string
  remedy: string
}

/** Stands where nothing was configured: every call says what to do about it. */
export function notConfigured(name: string, { what, remedy }: Missing): ContentGenerator {
  const refuse = (): GenerationError => new GenerationError('unsupported', `This server has no ${what}. ${remedy}`)
  return {
    name,
    // eslint-disable-next-line require-yield
    async *generateContentStream() {
      throw refuse()
    },
    models: () => Promise.reject(refuse()),
  }
}
