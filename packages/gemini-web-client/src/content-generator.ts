export { createGeminiWebGenerator, type GeminiWebGeneratorOptions } from './generator/generator.ts'
export { MODEL_SUFFIXES, MODEL_TABLE, type ModelRow, type ModelTable } from './generator/models.ts'
export type { MediaFetch } from './generator/files.ts'
export { GENERATION_CODES } from './generator/error.ts'
