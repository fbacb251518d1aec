import { GenerationError } from './error.ts'
import { readFinishReason } from './events.ts'
import type { ContentGenerator } from './generator.ts'
import type { GenerateContentResponse, Part } from './schema.ts'

/**
 * Guards against answers that are no answer: nothing but a finish reason, or a call the model could not write.
 * Such a one is asked for once more as long as nothing was handed out; the second is an error. Chunks without
 * content wait for the first one with some. Source: `dialects.md` section 6.7, rows 2 and 44.
 *
 * @throws {GenerationError} `upstream_unavailable` with fault `model`, from the stream.
 */
export function withAnswers(upstream: ContentGenerator): ContentGenerator {
  return {
    ...upstream,
    async *generateContentStream(request, options) {
      for (let attempt = 1; ; attempt++) {
        const held: GenerateContentResponse[] = []
        let speaking = false
        let answered = false
        let flaw: string | undefined
        for await (const chunk of upstream.generateContentStream(request, options)) {
          const candidate = chunk.candidates?.[0]
          const parts = candidate?.content?.parts ?? []
          answered ||= parts.some(isAnswer)
          if (candidate?.finishReason !== undefined) {
            flaw = readFlaw(candidate.finishReason, answered)
            if (flaw !== undefined) break
          }
          if (!speaking && (parts.length > 0 || candidate?.finishReason !== undefined)) {
            speaking = true
            yield* held
          }
          if (speaking) yield chunk
          else held.push(chunk)
        }
        if (flaw === undefined) {
          if (!speaking) yield* held
          return
        }
        if (speaking || attempt === 2) {
          throw new GenerationError(
            'upstream_unavailable',
            `${flaw} Send the request again, or put it in other words.`,
            {
              fault: 'model',
            },
          )
        }
      }
    },
  }
}

function readFlaw(finishReason: string, answered: boolean): string | undefined {
  const reason = readFinishReason(finishReason, false)
  if (reason === 'malformed-call') return `The model tried to call a tool and failed (${finishReason}).`
  if (!answered && (reason === 'stop' || reason === 'other')) return 'The model gave an empty answer.'
  return undefined
}

/** True for what a caller would see: not a thought, not an empty text that only carries a signature. */
function isAnswer(part: Part): boolean {
  return part.thought !== true && part.text !== ''
}
