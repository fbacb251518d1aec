import { base64ToBytes, bytesToBase64 } from '@castorjs/content-generator/media'
import { createId, unixSeconds } from '../ids.ts'
import { wrapPcm } from '../wav.ts'

/** Gemini speaks raw samples unless their type says otherwise: `audio/L16;codec=pcm;rate=24000`. */
const RAW_SAMPLES = /^audio\/(?:l16|pcm)\b/i

/** Samples per second, as the media type says; 24 000 where it does not. */
export function readSampleRate(mimeType: string): number {
  return Number(/rate=(\d+)/.exec(mimeType)?.[1] ?? 24_000)
}

/** Speech as WAV bytes or raw samples, whatever form it came in; undefined for other sounds. */
export function readSpeech(mimeType: string, data: string): { samples: Uint8Array; sampleRate: number } | undefined {
  if (!RAW_SAMPLES.test(mimeType)) return undefined
  return { samples: base64ToBytes(data), sampleRate: readSampleRate(mimeType) }
}

/** The `audio` of a message; undefined for anything that is not inline sound. */
export function encodeAudio(media: { mimeType: string; data?: string }, format: 'wav' | 'pcm16') {
  if (media.data === undefined || !media.mimeType.toLowerCase().startsWith('audio/')) return undefined
  const speech = readSpeech(media.mimeType, media.data)
  const data =
    speech === undefined || format === 'pcm16'
      ? media.data
      : bytesToBase64(wrapPcm(speech.samples, { sampleRate: speech.sampleRate }))
  return { id: createId('audio_'), data, expires_at: unixSeconds() + 3600, transcript: '' }
}
