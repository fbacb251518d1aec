/** A family Google has shut down, and what does its work now. */
interface Retired {
  names: RegExp
  /** Day it was shut, where it is known. */
  since?: string
  instead: readonly string[]
}

/** First match wins. Source: `gemini-api.md`, list of models; only consulted once the upstream itself answered 404. */
const RETIRED: readonly Retired[] = [
  {
    names: /^gemini-(?:1\.|2\.0).*image-generation/,
    since: '2026-06-01',
    instead: ['gemini-nano-banana-2.1', 'gemini-3-pro-image'],
  },
  { names: /^gemini-(?:1\.|2\.0|pro)/, since: '2026-06-01', instead: ['gemini-3.8-flash', 'gemini-2.5-flash'] },
  {
    names: /^gemini-3-pro-preview/,
    since: '2026-03-09',
    instead: ['gemini-3.1-pro-preview'],
  },
  { names: /^gemini-2\.5-.*tts/, instead: ['gemini-3.8-flash-tts', 'gemini-3.1-flash-tts-preview'] },
  { names: /^gemini-2\.5-(?:pro|flash)-preview/, instead: ['gemini-2.5-pro', 'gemini-2.5-flash'] },
  { names: /^(?:gemini-embedding-001|text-embedding-004|embedding-001)/, instead: ['gemini-embedding-2'] },
  { names: /^imagen-/, since: '2026-08-17', instead: ['gemini-nano-banana-2.1', 'gemini-3-pro-image'] },
]

/** What to say about a model the upstream no longer serves; undefined for a name that was never one. */
export function readRetired(model: string): { sentence: string; instead: readonly string[] } | undefined {
  const found = RETIRED.find(({ names }) => names.test(model))
  if (found === undefined) return undefined
  const when = found.since === undefined ? '' : ` on ${found.since}`
  return {
    sentence: `Google shut ${model} down${when}. Ask for ${found.instead.join(' or ')}.`,
    instead: found.instead,
  }
}
