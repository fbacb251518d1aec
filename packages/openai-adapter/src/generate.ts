import { collect, readJson, validate, type Exchange } from '@castorjs/content-generator'
import * as v from 'valibot'
import { encodeChatCompletion } from './chat/encode.ts'
import { estimatePrompt } from './chat/usage.ts'
import { readGenerateOptions } from './generate-options.ts'
import type { OpenAIContext } from './options.ts'

const SimpleRequestSchema = v.looseObject({
  prompt: v.pipe(v.string(), v.nonEmpty('must not be empty')),
  model: v.nullish(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
})

const PLAIN_SHAPE = {
  includeUsage: false,
  json: false,
  toolNames: { decode: (name: string) => name },
  customTools: new Set<string>(),
  singleCall: false,
  legacyCalls: false,
  audioFormat: 'wav',
} as const

/** `POST /v1/generate`: `{prompt, model?}` to `{text, model, usage}`. Source: reference document 004. */
export async function serveGenerate(request: Request, exchange: Exchange, context: OpenAIContext): Promise<Response> {
  const body = await readJson(request, { maxBytes: context.maxBodyBytes })
  const { prompt, model: wanted } = validate(SimpleRequestSchema, body)
  const model = wanted ?? context.defaultModel
  exchange.describe({ model, stream: false })
  const options = readGenerateOptions(request, exchange, body as Record<string, unknown>)
  const generate = { model, contents: [{ role: 'user', parts: [{ text: prompt }] }] }
  const answer = await collect(context.generator.generateContentStream(generate, options))
  const { choices, usage } = encodeChatCompletion(
    answer,
    { ...PLAIN_SHAPE, model },
    { pictures: 'markdown', promptTokens: () => estimatePrompt(generate), onUsage: (usage) => exchange.spend(usage) },
  )
  const choice = choices[0]
  return exchange.json({
    text: choice?.message.content ?? '',
    model,
    finish_reason: choice?.finish_reason ?? 'stop',
    usage,
  })
}
