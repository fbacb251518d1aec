import type { GenerateContentResponse, Part } from '@castorjs/content-generator'

/** Takes the arguments of functions whose schema was no object out of the `{value: …}` they travelled in. */
export function unwrapArguments(chunk: GenerateContentResponse, wrapped: ReadonlySet<string>): GenerateContentResponse {
  const touches = (part: Part): boolean => part.functionCall !== undefined && wrapped.has(part.functionCall.name)
  if (chunk.candidates?.some(({ content }) => content?.parts?.some(touches)) !== true) return chunk
  const candidates = chunk.candidates.map((candidate) => {
    const parts = candidate.content?.parts?.map((part) => (touches(part) ? unwrapPart(part) : part))
    return parts === undefined ? candidate : { ...candidate, content: { ...candidate.content, parts } }
  })
  return { ...chunk, candidates }
}

function unwrapPart(part: Part): Part {
  const { functionCall } = part
  const value = functionCall?.args?.value
  if (functionCall === undefined || typeof value !== 'object' || value === null || Array.isArray(value)) return part
  return { ...part, functionCall: { ...functionCall, args: value as Record<string, unknown> } }
}
