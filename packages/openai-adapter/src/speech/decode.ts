import { GenerationError, validate, type GenerateContentRequest } from '@castorjs/content-generator'
import * as v from 'valibot'
import { readVoice } from '../voices.ts'

const SpeechRequestSchema = v.looseObject({
  model: v.pipe(v.string(), v.nonEmpty('must not be empty')),
  input: v.pipe(v.string(), v.nonEmpty('must not be empty')),
  voice: v.nullish(v.union([v.string(), v.looseObject({ id: v.string() })])),
  instructions: v.nullish(v.string()),
  response_format: v.nullish(v.string()),
  stream_format: v.nullish(v.string()),
})

export interface DecodedSpeechRequest {
  request: GenerateContentRequest
  format: 'wav' | 'pcm'
}

/**
 * Turns a speech request into a `generateContent` request. Gemini speaks raw samples, so WAV and PCM are what
 * can be made; without a wish WAV is sent, and says so in its content type.
 *
 * @throws {GenerationError} `invalid_request` or `unsupported`, naming the field.
 */
export function decodeSpeechRequest(body: unknown): DecodedSpeechRequest {
  const {
    model,
    input,
    voice,
    instructions,
    response_format: format,
    stream_format: stream,
  } = validate(SpeechRequestSchema, body)
  if (format != null && format !== 'wav' && format !== 'pcm') {
    throw new GenerationError('unsupported', '`response_format`: wav and pcm are the formats made here.', {
      field: 'response_format',
    })
  }
  if (stream === 'sse') {
    throw new GenerationError('unsupported', '`stream_format`: only audio is served here.', { field: 'stream_format' })
  }
  const voiceName = readVoice(voice)
  return {
    request: {
      model,
      contents: [{ role: 'user', parts: [{ text: instructions ? `${instructions}: ${input}` : input }] }],
      generationConfig: {
        responseModalities: ['AUDIO'],
        ...(voiceName === undefined ? {} : { speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName } } } }),
      },
    },
    format: format ?? 'wav',
  }
}
