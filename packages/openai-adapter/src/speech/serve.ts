import { createEventReader, GenerationError, readJson, type Exchange } from '@castorjs/content-generator'
import { base64ToBytes } from '@castorjs/content-generator/media'
import { readSampleRate, readSpeech } from '../chat/audio.ts'
import type { OpenAIContext } from '../options.ts'
import { wrapPcm } from '../wav.ts'
import { decodeSpeechRequest } from './decode.ts'

/** `POST /v1/audio/speech`: bytes of sound. */
export async function serveSpeech(request: Request, exchange: Exchange, context: OpenAIContext): Promise<Response> {
  const decoded = decodeSpeechRequest(await readJson(request, { maxBytes: context.maxBodyBytes }))
  exchange.describe({ model: decoded.request.model, stream: false })
  const reader = createEventReader()
  const pieces: Uint8Array[] = []
  let mimeType: string | undefined
  for await (const chunk of context.generator.generateContentStream(decoded.request, exchange.options)) {
    for (const event of reader.read(chunk)) {
      if (event.type !== 'media' || event.data === undefined || !event.mimeType.startsWith('audio/')) continue
      mimeType ??= event.mimeType
      pieces.push(readSpeech(event.mimeType, event.data)?.samples ?? base64ToBytes(event.data))
    }
  }
  const [finish] = reader.finish()
  if (finish?.type === 'finish' && finish.usage !== undefined) exchange.spend(finish.usage)
  if (mimeType === undefined) {
    throw new GenerationError(
      'unsupported',
      'This model answered in words; choose one that speaks, such as a `-tts` model.',
      {
        field: 'model',
      },
    )
  }
  const samples = join(pieces)
  if (readSpeech(mimeType, '') === undefined) return sound(exchange, samples, mimeType)
  const sampleRate = readSampleRate(mimeType)
  return decoded.format === 'pcm'
    ? sound(exchange, samples, `audio/pcm;rate=${sampleRate}`)
    : sound(exchange, wrapPcm(samples, { sampleRate }), 'audio/wav')
}

function sound(exchange: Exchange, bytes: Uint8Array, type: string): Response {
  return exchange.respond(bytes as Uint8Array<ArrayBuffer>, { headers: { 'content-type': type } })
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let offset = 0
  for (const piece of pieces) {
    whole.set(piece, offset)
    offset += piece.length
  }
  return whole
}
