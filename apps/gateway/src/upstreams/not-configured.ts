import { GenerationError, type ContentGenerator } from '@castorjs/content-generator'

/** Stands where nothing was configured: every call says what to do about it. */
export function notConfigured(name: string, remedy: string): ContentGenerator {
  const refuse = (): GenerationError => new GenerationError('unsupported', `This server has no ${name}. ${remedy}`)
  return {
    name,
    // eslint-disable-next-line require-yield
    async *generateContentStream() {
      throw refuse()
    },
    models: () => Promise.reject(refuse()),
  }
}
