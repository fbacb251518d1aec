import type { EmulatedModel } from '../models.ts'
import { hasTool, type GenerateRequest, type Part } from '../request.ts'
import { createSignature } from '../rules/signatures.ts'
import { decideCalls } from './calls.ts'
import { runCode } from './code.ts'
import { exampleValue } from './example-value.ts'
import { drawPicture } from './picture.ts'
import { speak } from './speech.ts'

/** What the emulated model says. */
export interface Answer {
  /** Parts of each chunk. */
  chunks: Part[][]
  /** More fields of the last candidate: `groundingMetadata`, `urlContextMetadata`. */
  candidate?: Record<string, unknown>
  finishReason?: string
}

/** Answers a request the way the emulated model does: deterministic, and about what it was asked. */
export async function answerRequest(
  request: GenerateRequest,
  model: EmulatedModel,
  answering: string,
): Promise<Answer> {
  if (model.kind === 'speech') return { chunks: speak(request) }
  if (model.kind === 'image') return { chunks: await drawPicture(request, answering, model.generation) }
  const thoughts: Part[][] =
    request.generationConfig?.thinkingConfig?.includeThoughts === true
      ? [[{ text: 'The user asks something; ', thought: true }], [{ text: 'I answer it.', thought: true }]]
      : []
  const answer = answerText(request, model, answering)
  return { ...answer, chunks: [...thoughts, ...answer.chunks] }
}

function answerText(request: GenerateRequest, model: EmulatedModel, answering: string): Answer {
  const last = request.contents?.at(-1)?.parts ?? []
  // Clients put context of their own before the question, so only the last text counts.
  const prompt = last.findLast(({ text }) => text !== undefined && text !== '')?.text?.trim() ?? ''
  const results = last.flatMap(({ functionResponse }) => functionResponse ?? [])
  if (results.length > 0) {
    const lines = results.map(({ name, response }) => `${name} said ${JSON.stringify(response)}.`)
    return { chunks: say(lines.join(' '), model, answering) }
  }
  const calls = decideCalls(request, prompt, answering, model.generation)
  if (calls.length > 0) return { chunks: [calls] }
  const { responseMimeType, responseJsonSchema, responseSchema } = request.generationConfig ?? {}
  if (responseMimeType === 'application/json') {
    const value = exampleValue(
      responseJsonSchema ?? responseSchema ?? { type: 'object', properties: { answer: {} } },
      [],
    )
    return { chunks: cut(JSON.stringify(value)).map((text) => [{ text }]) }
  }
  if (hasTool(request, 'codeExecution') && /code|calculat|sum|run/i.test(prompt)) return { chunks: runCode(prompt) }
  if (hasTool(request, 'googleSearch')) return searched(prompt, model, answering)
  if (hasTool(request, 'urlContext')) return visited(prompt, model, answering)
  const seen = describeMedia(request.contents?.flatMap((turn) => turn.parts ?? []) ?? [])
  const system = request.systemInstruction?.parts?.map((part) => part.text).join(' ')
  const told = system === undefined ? '' : ` I was told: ${system}`
  return { chunks: say(`${seen}You said: ${prompt}${told}`, model, answering) }
}

/** Text in a few chunks; from generation 3 on the signature rides on a last part without text. */
function say(text: string, model: EmulatedModel, answering: string): Part[][] {
  const chunks: Part[][] = cut(text).map((piece) => [{ text: piece }])
  if (model.generation >= 3) chunks.push([{ text: '', thoughtSignature: createSignature(answering) }])
  return chunks
}

/** Cuts after every third word, at least once. */
function cut(text: string): string[] {
  const pieces = text.match(/(?:\S*\s*){1,3}/g)?.filter((piece) => piece !== '') ?? []
  if (pieces.length !== 1) return pieces.length === 0 ? [''] : pieces
  const middle = Math.ceil(text.length / 2)
  return [text.slice(0, middle), text.slice(middle)].filter((piece) => piece !== '')
}

function describeMedia(parts: readonly Part[]): string {
  const seen = parts.flatMap(({ inlineData, fileData }) => {
    if (inlineData !== undefined) {
      const bytes = Math.floor(((inlineData.data ?? '').replace(/=+$/, '').length * 3) / 4)
      return [`${inlineData.mimeType} of ${bytes} bytes`]
    }
    return fileData === undefined ? [] : [`a file ${fileData.mimeType ?? ''} by reference`.replace('  ', ' ')]
  })
  return seen.length === 0 ? '' : `I see ${seen.join(', ')}. `
}

function searched(prompt: string, model: EmulatedModel, answering: string): Answer {
  const text = `Größe zählt: ${prompt}`
  const bytes = new TextEncoder().encode(text).length
  const groundingMetadata = {
    webSearchQueries: [prompt],
    searchEntryPoint: { renderedContent: '<div>search</div>' },
    groundingChunks: [
      { web: { uri: 'https://search.example/redirect/1', title: 'example.org', domain: 'example.org' } },
    ],
    groundingSupports: [{ segment: { endIndex: bytes, text }, groundingChunkIndices: [0] }],
  }
  return { chunks: say(text, model, answering), candidate: { groundingMetadata } }
}

function visited(prompt: string, model: EmulatedModel, answering: string): Answer {
  const urls = prompt.match(/https?:\/\/\S+/g) ?? []
  const urlMetadata = urls.map((retrievedUrl) => ({ retrievedUrl, urlRetrievalStatus: 'URL_RETRIEVAL_STATUS_SUCCESS' }))
  return {
    chunks: say(`I read ${urls.length} pages.`, model, answering),
    candidate: { urlContextMetadata: { urlMetadata } },
  }
}
