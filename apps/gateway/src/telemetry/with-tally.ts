import {
  estimateTokens,
  mapValues,
  readUsage,
  type ContentGenerator,
  type GenerateContentRequest,
  type GenerateContentResponse,
  type GenerateOptions,
  type Part,
  type Usage,
} from '@castorjs/content-generator'

/**
 * Counts what callers get: files, the time to the first chunk, and tokens also of an answer that was cut short, where no dialect
 * tells them. Outermost of all decorators, so that it sees what is really handed out.
 */
export function withTally(upstream: ContentGenerator): ContentGenerator {
  return {
    ...upstream,
    generateContentStream(request, options) {
      if (options.onTally === undefined) return upstream.generateContentStream(request, options)
      return counted(upstream, request, options)
    },
  }
}

function counted(
  upstream: ContentGenerator,
  request: GenerateContentRequest,
  options: GenerateOptions,
): AsyncIterable<GenerateContentResponse> {
  let firstChunkAt: number | undefined
  let media = 0
  let outputTokens = 0
  let thoughtTokens = 0
  let told: Usage | undefined
  options.onTally?.(() => ({
    media,
    usage: told ?? (firstChunkAt === undefined ? undefined : guess()),
    firstChunkAt,
  }))

  function guess(): Usage {
    const inputTokens = estimatePrompt(request)
    return {
      inputTokens,
      cachedTokens: 0,
      outputTokens: Math.ceil(outputTokens),
      thoughtTokens: Math.ceil(thoughtTokens),
      estimated: true,
    }
  }

  return mapValues(upstream.generateContentStream(request, options), (chunk) => {
    firstChunkAt ??= performance.now()
    if (chunk.usageMetadata !== undefined) told = readUsage(chunk.usageMetadata)
    for (const { content } of chunk.candidates ?? []) {
      for (const part of content?.parts ?? []) {
        if (part.inlineData !== undefined || part.fileData !== undefined) media++
        if (part.text === undefined) continue
        if (part.thought === true) thoughtTokens += estimate(part.text)
        else outputTokens += estimate(part.text)
      }
    }
    return chunk
  })
}

/** As `estimateTokens`, but not rounded up for each of a thousand small pieces. */
function estimate(text: string): number {
  let wide = 0
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) wide++
  return (text.length - wide) / 4 + wide / 1.5
}

/** Only asked for when an answer was cut short. */
function estimatePrompt({ contents, systemInstruction }: GenerateContentRequest): number {
  const parts = [
    ...(systemInstruction?.parts ?? []),
    ...contents.flatMap(({ parts: own }): readonly Part[] => own ?? []),
  ]
  return parts.reduce((sum, { text }) => sum + (text === undefined ? 0 : estimateTokens(text)), 0)
}
