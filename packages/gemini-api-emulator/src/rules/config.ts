import type { EmulatedModel } from '../models.ts'
import { declarationsOf, type GenerateRequest, type GenerationConfig } from '../request.ts'
import { invalid } from '../rpc-error.ts'

const MIME_TYPES = new Set(['text/plain', 'application/json', 'text/x.enum'])
const RATIOS = new Set(['1:1', '2:3', '3:2', '3:4', '4:3', '4:5', '5:4', '9:16', '16:9', '21:9'])
const LONG_RATIOS = new Set(['1:4', '4:1', '1:8', '8:1'])

/**
 * The rules of `generationConfig`, by model. Source: `gemini-api.md` sections 3.2, 4, 8 and 9.
 *
 * @param streamed Some limits are lower for whole answers.
 * @throws {RpcError} 400.
 */
export function checkConfig(request: GenerateRequest, model: EmulatedModel, streamed: boolean): void {
  const config = request.generationConfig ?? {}
  checkSampling(config, model)
  checkLength(config, model, streamed)
  checkThinking(config, model)
  checkFormat(config, model, declarationsOf(request).length > 0)
  checkModalities(config, model)
  if (model.kind === 'speech') checkSpeech(request)
}

function checkSampling(config: GenerationConfig, model: EmulatedModel): void {
  if (config.temperature !== undefined && (config.temperature < 0 || config.temperature > 2)) {
    throw invalid(
      `* GenerateContentRequest.generation_config.temperature: temperature must be in the range [0.0, 2.0].`,
    )
  }
  for (const name of ['temperature', 'topP', 'topK'] as const) {
    if (model.refusesSampling === true && config[name] !== undefined) {
      throw invalid(`${name} is not supported by models/${model.name}.`)
    }
  }
  if ((config.presencePenalty ?? 0) !== 0 || (config.frequencyPenalty ?? 0) !== 0) {
    throw invalid(`Penalty is not enabled for models/${model.name}`)
  }
  if (config.responseLogprobs === true || config.logprobs !== undefined) {
    throw invalid(`Logprobs is not enabled for models/${model.name}`)
  }
  const count = config.candidateCount ?? 1
  if (count < 1 || count > 8) {
    throw invalid(
      '* GenerateContentRequest.generation_config.candidate_count: candidate_count must be in the range [1, 8].',
    )
  }
  if (count > 1 && model.generation >= 3) throw invalid('Multiple candidates is not enabled for this model')
  if ((config.stopSequences?.length ?? 0) > 5) {
    throw invalid(
      '* GenerateContentRequest.generation_config.stop_sequences: the number of stop_sequences must not be more than 5.',
    )
  }
}

function checkLength({ maxOutputTokens }: GenerationConfig, model: EmulatedModel, streamed: boolean): void {
  if (maxOutputTokens === undefined) return
  if (maxOutputTokens < 1) throw invalid('max_output_tokens must be positive.')
  const limit = streamed ? model.outputTokenLimit : (model.unaryOutputTokenLimit ?? model.outputTokenLimit)
  if (maxOutputTokens <= limit) return
  throw invalid(
    `Unable to submit request because it has a maxOutputTokens value of ${maxOutputTokens} but the supported range is from 1 (inclusive) to ${limit + 1} (exclusive). Update the value and try again.`,
  )
}

function checkThinking({ thinkingConfig }: GenerationConfig, model: EmulatedModel): void {
  if (thinkingConfig === undefined) return
  if (model.kind !== 'text') throw invalid(`Thinking is not enabled for models/${model.name}`)
  const { thinkingBudget: budget, thinkingLevel: level } = thinkingConfig
  if (budget !== undefined && level !== undefined) {
    throw invalid('You can only set only one of thinking budget and thinking level.')
  }
  if (level !== undefined) {
    if (model.levels === undefined) throw invalid('Thinking level is not supported for this model.')
    if (!model.levels.includes(level)) {
      throw invalid(`Thinking level ${level} is not supported for this model. Please retry with other thinking level.`)
    }
  }
  if (budget === undefined || budget === -1 || model.budget === undefined) return
  const { min, max, off } = model.budget
  if ((budget === 0 && off) || (budget >= min && budget <= max)) return
  throw invalid(`The thinking budget ${budget} is invalid. Please choose a value between ${off ? 0 : min} and ${max}.`)
}

function checkFormat(config: GenerationConfig, model: EmulatedModel, hasFunctions: boolean): void {
  const { responseMimeType: type, responseSchema, responseJsonSchema } = config
  if (type !== undefined && !MIME_TYPES.has(type)) {
    throw invalid(
      `* GenerateContentRequest.generation_config.response_mime_type: allowed mimetypes are \`text/plain\`, \`application/json\`, \`application/xml\`, \`application/yaml\` and \`text/x.enum\`.`,
    )
  }
  const json = type === 'application/json'
  if (responseSchema !== undefined && responseJsonSchema !== undefined) {
    throw invalid('response_schema and response_json_schema cannot both be set.')
  }
  if (responseSchema !== undefined && !json && type !== 'text/x.enum') {
    throw invalid('response_schema requires response_mime_type application/json or text/x.enum.')
  }
  if (responseJsonSchema !== undefined && !json) {
    throw invalid('response_json_schema requires response_mime_type application/json.')
  }
  if (json && hasFunctions && model.generation < 3) {
    throw invalid("Function calling with a response mime type: 'application/json' is unsupported")
  }
}

function checkModalities(config: GenerationConfig, model: EmulatedModel): void {
  const modalities = config.responseModalities ?? []
  const allowed: readonly string[] = { text: ['TEXT'], image: ['TEXT', 'IMAGE'], speech: ['AUDIO'], embedding: [] }[
    model.kind
  ]
  const wrong = modalities.find((modality) => !allowed.includes(modality))
  if (wrong !== undefined) {
    throw invalid(`Model does not support the requested response modalities: ${wrong.toLowerCase()}`)
  }
  if (model.kind === 'speech' && modalities.length === 0) {
    throw invalid('The requested combination of response modalities (TEXT) is not supported by the model.')
  }
  const { imageConfig, speechConfig } = config
  if (speechConfig !== undefined && model.kind !== 'speech')
    throw invalid('Speech config is not supported by this model.')
  if (imageConfig === undefined) return
  if (model.kind !== 'image') throw invalid(`Image config is not enabled for models/${model.name}`)
  const { aspectRatio, imageSize } = imageConfig
  const long = model.name === 'gemini-nano-banana-2.1'
  if (aspectRatio !== undefined && !RATIOS.has(aspectRatio) && !(long && LONG_RATIOS.has(aspectRatio))) {
    throw invalid(`Invalid aspect ratio: ${aspectRatio}`)
  }
  if (imageSize !== undefined && model.imageSizes?.includes(imageSize) !== true) {
    throw invalid(`Invalid image size: ${imageSize}`)
  }
}

function checkSpeech({ systemInstruction, tools, contents = [] }: GenerateRequest): void {
  if (systemInstruction !== undefined) throw invalid('Developer instruction is not enabled for this model')
  if (tools !== undefined) throw invalid('Function calling is not enabled for this model')
  if (contents.length > 1) throw invalid('Multiturn chat is not enabled for this model')
}
