import type { GenerateContentResponse, Part } from '@castorjs/content-generator'

/** What an answer has said so far, small: neighbouring texts keep one chunk and their pieces. */
export interface History {
  /** Estimated size, in bytes. */
  readonly bytes: number
  add(chunk: GenerateContentResponse): void
  /** The answer so far as fresh chunks, texts joined. */
  chunks(): GenerateContentResponse[]
}

interface Run {
  /** The newest chunk of the run: its usage and its other fields win, as they do for whoever reads the stream. */
  chunk: GenerateContentResponse
  /** Pieces of text; undefined for a chunk that is kept as it came. */
  texts: string[] | undefined
  thought: boolean
}

/** Of a chunk without its text, in bytes: measured on what V8 keeps for one with a candidate and usage. */
const CHUNK_BYTES = 600
const PIECE_BYTES = 48

export function createHistory(): History {
  const runs: Run[] = []
  // A plain field and no getter: an object with a getter of its own has a shape of its own, for each answer anew.
  const history: History & { bytes: number } = {
    bytes: 0,
    add(chunk) {
      const part = plainText(chunk)
      if (part?.text === undefined) {
        history.bytes += CHUNK_BYTES + sizeOf(chunk)
        runs.push({ chunk, texts: undefined, thought: false })
        return
      }
      const thought = part.thought === true
      history.bytes += PIECE_BYTES + part.text.length * 2
      const last = runs.at(-1)
      if (last?.texts !== undefined && last.thought === thought) {
        last.texts.push(part.text)
        last.chunk = chunk
        return
      }
      history.bytes += CHUNK_BYTES
      runs.push({ chunk, texts: [part.text], thought })
    },
    chunks: () => runs.map(join),
  }
  return history
}

function join({ chunk, texts }: Run): GenerateContentResponse {
  const candidate = chunk.candidates?.[0]
  const part = candidate?.content?.parts?.[0]
  if (texts === undefined || texts.length === 1 || part === undefined) return chunk
  const content = { ...candidate?.content, parts: [{ ...part, text: texts.join('') }] }
  return { ...chunk, candidates: [{ ...candidate, content }] }
}

/** Fields of a chunk that belong to the answer as a whole: the last one wins. */
const ENVELOPE = new Set(['candidates', 'usageMetadata', 'modelVersion', 'responseId', 'createTime'])

/** The one text part of a chunk that carries nothing else; undefined for any other chunk. */
function plainText(chunk: GenerateContentResponse): Part | undefined {
  const candidate = chunk.candidates?.[0]
  const part = candidate?.content?.parts?.[0]
  if (part?.text === undefined || chunk.candidates?.length !== 1 || candidate?.content?.parts?.length !== 1) {
    return undefined
  }
  for (const field in chunk) if (!ENVELOPE.has(field)) return undefined
  for (const field in candidate) {
    if (field !== 'content' && !(field === 'index' && candidate.index === 0)) return undefined
  }
  for (const field in part) if (field !== 'text' && field !== 'thought') return undefined
  return part
}

function sizeOf(chunk: GenerateContentResponse): number {
  let bytes = 0
  for (const candidate of chunk.candidates ?? []) {
    for (const part of candidate.content?.parts ?? []) {
      if (part.text !== undefined) bytes += part.text.length * 2
      else if (part.inlineData?.data !== undefined) bytes += part.inlineData.data.length
      else bytes += JSON.stringify(part).length * 2
    }
  }
  return bytes
}
