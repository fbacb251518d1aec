import {
  GenerationError,
  throwIfAborted,
  toGenerationError,
  type ContentGenerator,
  type EmbedContentRequest,
  type EmbedContentResponse,
  type GenerateContentRequest,
  type GenerateContentResponse,
  type GenerateOptions,
  type ModelInfo,
} from '@castorjs/content-generator'

/** One step of a script: a chunk to send, an error to throw, or a wait. */
export type ScriptStep =
  | GenerateContentResponse
  | GenerationError
  | { waitMs: number }
  /** Says nothing more until the caller leaves. */
  | 'stall'

export interface ScriptedGeneratorOptions {
  name?: string
  models?: ModelInfo[]
  embed?: (requests: readonly EmbedContentRequest[]) => EmbedContentResponse
}

export interface ScriptedGenerator extends ContentGenerator {
  /** Every request that was really sent (its first chunk pulled), oldest first. */
  readonly requests: GenerateContentRequest[]
  readonly options: GenerateOptions[]
  /** Streams that were begun and have not ended. */
  readonly open: number
}

/** An upstream that plays a script: the same steps each time, or steps made from the request. */
export function scriptedGenerator(
  script: readonly ScriptStep[] | ((request: GenerateContentRequest, call: number) => readonly ScriptStep[]),
  { name = 'scripted', models = [{ name: 'scripted-model' }], embed }: ScriptedGeneratorOptions = {},
): ScriptedGenerator {
  const requests: GenerateContentRequest[] = []
  const seen: GenerateOptions[] = []
  let open = 0
  return {
    name,
    requests,
    options: seen,
    get open() {
      return open
    },
    async *generateContentStream(request, options) {
      throwIfAborted(options.signal)
      options.onAsked?.()
      requests.push(request)
      seen.push(options)
      open++
      try {
        for (const step of typeof script === 'function' ? script(request, requests.length) : script) {
          throwIfAborted(options.signal)
          if (step === 'stall') await pause(undefined, options.signal)
          else if (step instanceof GenerationError) throw step
          else if (isWait(step)) await pause(step.waitMs, options.signal)
          else yield step
        }
      } finally {
        open--
      }
    },
    models: () => Promise.resolve(models),
    ...(embed === undefined
      ? {}
      : {
          async embedContent(requests, options) {
            options.onAsked?.()
            return embed(requests)
          },
        }),
  }
}

function isWait(step: ScriptStep): step is { waitMs: number } {
  return typeof step === 'object' && 'waitMs' in step && typeof step.waitMs === 'number'
}

/** Waits, or for ever without a time; an abort ends the wait with `aborted`. */
function pause(ms: number | undefined, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = ms === undefined ? undefined : setTimeout(done, ms)
    function done(): void {
      signal.removeEventListener('abort', leave)
      resolve()
    }
    function leave(): void {
      clearTimeout(timer)
      reject(toGenerationError(signal.reason, signal))
    }
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
  })
}
