/** Puts the 44-byte header of a WAV file before raw samples: mono, signed 16-bit little-endian. */
export function wrapPcm(samples: Uint8Array, { sampleRate }: { sampleRate: number }): Uint8Array {
  const bytesPerSample = 2
  const file = new Uint8Array(44 + samples.length)
  const view = new DataView(file.buffer)
  const ascii = (offset: number, text: string) => file.set(new TextEncoder().encode(text), offset)
  ascii(0, 'RIFF')
  view.setUint32(4, 36 + samples.length, true)
  ascii(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, 1, true)
  view.setUint16(22, 1, true)
  view.setUint32(24, sampleRate, true)
  view.setUint32(28, sampleRate * bytesPerSample, true)
  view.setUint16(32, bytesPerSample, true)
  view.setUint16(34, 8 * bytesPerSample, true)
  ascii(36, 'data')
  view.setUint32(40, samples.length, true)
  file.set(samples, 44)
  return file
}
