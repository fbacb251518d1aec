/** OpenAI's voices, each to one of Gemini's. Source: `dialects.md` section 2.3. Other names pass through. */
const VOICES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    alloy: 'Kore',
    echo: 'Puck',
    fable: 'Aoede',
    onyx: 'Charon',
    nova: 'Leda',
    shimmer: 'Zephyr',
  }),
)

/** Gemini's name for a voice given as a string or as `{id}`. */
export function readVoice(voice: unknown): string | undefined {
  const name = typeof voice === 'object' && voice !== null && 'id' in voice ? voice.id : voice
  if (typeof name !== 'string' || name === '') return undefined
  return VOICES.get(name.toLowerCase()) ?? name
}
