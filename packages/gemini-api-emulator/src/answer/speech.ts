import type { GenerateRequest, Part } from '../request.ts'
import { toBase64 } from './base64.ts'

const RATE = 24_000

/** A tone as raw signed 16-bit little-endian mono PCM without header; about 20 ms per character, at most a second. */
export function speak(request: GenerateRequest): Part[][] {
  const text = request.contents?.[0]?.parts?.map((part) => part.text ?? '').join('') ?? ''
  const voice = request.generationConfig?.speechConfig?.voiceConfig?.prebuiltVoiceConfig?.voiceName ?? ''
  const samples = Math.min(RATE, Math.max(1, text.length) * (RATE / 50))
  const pcm = new DataView(new ArrayBuffer(samples * 2))
  const pitch = 220 + voice.length * 20
  for (let index = 0; index < samples; index++) {
    pcm.setInt16(index * 2, Math.round(Math.sin((index / RATE) * pitch * 2 * Math.PI) * 8_000), true)
  }
  const mimeType = `audio/L16;codec=pcm;rate=${RATE}`
  return [[{ inlineData: { mimeType, data: toBase64(new Uint8Array(pcm.buffer)) } }]]
}
