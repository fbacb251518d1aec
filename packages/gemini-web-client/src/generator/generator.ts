import {
  estimateTokens,
  finalChunk,
  partsChunk,
  textPart,
  thoughtPart,
  throwIfAborted,
  type ContentGenerator,
  type GenerateContentRequest,
  type GenerateContentResponse,
  type GenerateOptions,
  type UsageMetadata,
} from '@castorjs/content-generator'
import { ATTACHED_TEXT_LIMIT_BYTES, type Citation, type FileReference } from '@castorjs/gemini-web-protocol'
import { PROMPT_LIMIT_BYTES, type GeminiWebClient, type TurnOptions } from '../client.ts'
import { citationsOf, clipParts, documentParts, imageParts } from './answer-parts.ts'
import { toDoorError } from './error.ts'
import { attachFiles, type MediaFetch } from './files.ts'
import { foldRequest } from './fold.ts'
import { listModels, MODEL_TABLE, resolveModel, type ModelTable, type ServedModel } from './models.ts'
import { streamResearch } from './research.ts'
import { readSettings, type Settings } from './settings.ts'
import { createStopCutter } from './stop-cutter.ts'

export interface GeminiWebGeneratorOptions {
  /** Public names to add to the table, or to change in it. */
  models?: ModelTable
  /** Fetches files that a caller names by URL. Without it they are refused. */
  mediaFetch?: MediaFetch
  /** How the caller's history gets into the web app: `fresh` folds it into one prompt each time. */
  historyMode?: 'fresh'
  /** A guest session that serves the names marked `guest`. Default: the client itself. */
  guest?: GeminiWebClient
  /** Attempts of a turn, all before any output. Default 1: whoever picks accounts decides about another try. */
  attempts?: number
  /** Keep the chats that pictures, video and research leave behind. Default false: they are deleted. */
  keepChats?: boolean
  /** UTF-8 bytes that a prompt may have. Default 130 000. */
  promptLimitBytes?: number
  /** UTF-8 bytes of attached history that the model sees. Default 157 000. */
  attachedLimitBytes?: number
}

const NAME = 'gemini-web'

/** Makes a client of the web app a `ContentGenerator`. */
export function createGeminiWebGenerator(
  client: GeminiWebClient,
  options: GeminiWebGeneratorOptions = {},
): ContentGenerator {
  const {
    mediaFetch,
    attempts = 1,
    keepChats = false,
    promptLimitBytes = PROMPT_LIMIT_BYTES,
    attachedLimitBytes = ATTACHED_TEXT_LIMIT_BYTES,
    guest: guestClient,
    ...others
  } = options
  const asGuest =
    guestClient === undefined
      ? undefined
      : createGeminiWebGenerator(guestClient, { ...others, attempts, promptLimitBytes, attachedLimitBytes })
  const table: ModelTable = { ...MODEL_TABLE, ...options.models }

  async function* generate(
    request: GenerateContentRequest,
    call: GenerateOptions,
  ): AsyncGenerator<GenerateContentResponse> {
    throwIfAborted(call.signal)
    if (asGuest !== undefined && table[request.model.toLowerCase()]?.guest === true) {
      yield* asGuest.generateContentStream(request, call)
      return
    }
    const { signal } = call
    try {
      const warn = call.onWarning ?? (() => undefined)
      const settings = readSettings(request, warn)
      const offered = await client.models(signal)
      const guest = client.status().kind === 'guest'
      const model = resolveModel(request.model, offered, { table, guest })
      const folded = foldRequest(request, {
        promptLimitBytes,
        attachedLimitBytes,
        instructions: settings.instructions,
        suffix: describePicture(settings, model),
      })
      const files = await attachFiles(folded.files, folded.historyFile, {
        client,
        mediaFetch,
        signal,
        warn,
        onAsked: call.onAsked,
      })
      const turn = toTurn(model, settings, { files, guest, attempts, call, signal })
      const displayName = offered.find((one) => one.id === model.wanted || one.mode === model.wanted)?.displayName
      call.onServed?.({ upstream: NAME, ...(displayName === undefined ? {} : { model: displayName }) })
      const promptTokens = estimateTokens(folded.prompt) + estimateTokens(folded.historyFile ?? '')
      const answer = { request, call, settings, model, promptTokens, signal }
      yield* model.tool === 'research' ? research(folded.prompt, turn, answer) : oneTurn(folded.prompt, turn, answer)
    } catch (error) {
      throw toDoorError(error, signal)
    }
  }

  async function* oneTurn(prompt: string, turn: TurnOptions, answer: Answer): AsyncGenerator<GenerateContentResponse> {
    const { request, call, settings, model, promptTokens, signal } = answer
    const fields = { modelVersion: request.model }
    const cutter = createStopCutter(settings.stopSequences)
    let text = ''
    let thoughts = ''
    for await (const event of client.stream(prompt, turn)) {
      if (event.type === 'thought-delta') {
        thoughts += event.text
        if (settings.includeThoughts) yield partsChunk([thoughtPart(event.text)], fields)
      } else if (event.type === 'text-delta') {
        const cut = cutter.push(event.text)
        text += cut.text
        if (cut.stopped) {
          yield finalChunk(
            'STOP',
            { ...fields, usageMetadata: usageOf(promptTokens, text, thoughts) },
            cut.text === '' ? [] : [textPart(cut.text)],
          )
          return
        }
        if (cut.text !== '') yield partsChunk([textPart(cut.text)], fields)
      } else if (event.type === 'reply') {
        const { reply } = event
        const rest = cutter.finish()
        text += rest
        if (rest !== '') yield partsChunk([textPart(rest)], fields)
        reportServed(reply, call)
        const { media } = call
        const original = media?.original ?? model.imagePixels !== undefined
        const parts = [...documentParts(reply.documents), ...(await imageParts(client, reply, { original }, signal))]
        for (const part of parts) yield partsChunk([part], fields)
        if (
          reply.videoJob !== undefined ||
          reply.videos.length > 0 ||
          reply.music !== undefined ||
          reply.musicPending
        ) {
          for await (const part of clipParts(client, reply, signal)) yield partsChunk([part], fields)
        }
        const { responseId } = reply
        yield finalChunk('STOP', {
          ...fields,
          ...(responseId === undefined ? {} : { responseId }),
          usageMetadata: usageOf(promptTokens, text, thoughts),
          candidate: citationsOf(citationsIn(reply.documents)),
        })
        cleanUp(turn, reply.chat?.chatId)
      }
    }
  }

  async function* research(prompt: string, turn: TurnOptions, answer: Answer): AsyncGenerator<GenerateContentResponse> {
    const fields = { modelVersion: answer.request.model }
    let text = ''
    let chatId: string | undefined
    let citations: readonly Citation[] = []
    for await (const step of streamResearch(client, prompt, turn)) {
      if (step.chatId !== undefined) chatId = step.chatId
      if (step.citations !== undefined) citations = step.citations
      if (step.thought !== undefined) yield partsChunk([thoughtPart(step.thought)], fields)
      if (step.text !== undefined) {
        text += step.text
        yield partsChunk([textPart(step.text)], fields)
      }
    }
    yield finalChunk('STOP', {
      ...fields,
      usageMetadata: usageOf(answer.promptTokens, text, ''),
      candidate: citationsOf(citations),
    })
    cleanUp(turn, chatId)
  }

  /** Deletes the chat that a turn with media had to leave behind; nobody waits for it. */
  function cleanUp(turn: TurnOptions, chatId: string | undefined): void {
    if (keepChats || turn.temporary === true || chatId === undefined || client.status().kind === 'guest') return
    client.chats.delete(chatId).catch(() => undefined)
  }

  return {
    name: NAME,
    generateContentStream: generate,
    countTokens(request) {
      const { prompt, historyFile = '' } = foldRequest(request, {
        promptLimitBytes: Infinity,
        attachedLimitBytes: Infinity,
        instructions: [],
      })
      return Promise.resolve({ totalTokens: estimateTokens(prompt) + estimateTokens(historyFile), estimated: true })
    },
    async models({ signal }) {
      try {
        const offered = await client.models(signal)
        return listModels(offered, { table, guest: client.status().kind === 'guest' })
      } catch (error) {
        throw toDoorError(error, signal)
      }
    },
  }
}

interface Answer {
  request: GenerateContentRequest
  call: GenerateOptions
  settings: Settings
  model: ServedModel
  promptTokens: number
  signal: AbortSignal
}

interface TurnContext {
  files: readonly FileReference[]
  guest: boolean
  attempts: number
  call: GenerateOptions
  signal: AbortSignal
}

function toTurn(
  model: ServedModel,
  settings: Settings,
  { files, guest, attempts, call, signal }: TurnContext,
): TurnOptions {
  const tool = model.tool ?? (settings.wantsImage ? 'image' : undefined)
  const orientation = call.media?.orientation
  // Thinking beyond the standard needs an account; for a guest the wish is dropped, not the answer.
  const wished = model.extendedThinking === true || settings.extendedThinking
  const extendedThinking = wished && !guest
  if (wished && guest) {
    call.onWarning?.({
      setting: 'generationConfig.thinkingConfig',
      message: 'Ignored. Extended thinking needs an account. Add the cookies of one.',
    })
  }
  return {
    model: model.wanted,
    files,
    attempts,
    signal,
    strictModel: call.strictModel ?? false,
    ...(call.onAsked === undefined ? {} : { onPost: call.onAsked }),
    // Pictures, video and documents need a stored chat for their files; everything else leaves no trace.
    temporary: tool === undefined && model.gemId === undefined,
    ...(extendedThinking ? { extendedThinking } : {}),
    ...(tool === undefined ? {} : { tool }),
    ...(model.gemId === undefined ? {} : { gemId: model.gemId }),
    ...(orientation === undefined ? {} : { media: { orientation } }),
  }
}

/** The web app has no fields for the shape of a picture; it is told in words. */
function describePicture({ aspectRatio, imageSize }: Settings, { imagePixels = 0 }: ServedModel): string {
  const size = imagePixels === 0 ? imageSize : `${imagePixels / 1024}K`
  return [
    ...(aspectRatio === undefined ? [] : [`\n\nAspect ratio: ${aspectRatio}`]),
    ...(size === undefined ? [] : [`\n\nImage size: ${size}`]),
  ].join('')
}

function reportServed(
  {
    servedModelName,
    servedModelId,
    substituted,
  }: { servedModelName?: string; servedModelId?: string; substituted: boolean },
  call: GenerateOptions,
): void {
  const served = servedModelName ?? servedModelId
  if (served !== undefined) call.onServed?.({ upstream: NAME, model: served })
  if (substituted) {
    call.onWarning?.({
      setting: 'model',
      message: `The web app answered with ${served ?? 'another model'}, not with the model asked for. Set strict_model to refuse such answers.`,
    })
  }
}

function citationsIn(documents: readonly { citations?: Citation[] }[]): Citation[] {
  return documents.flatMap((document) => document.citations ?? [])
}

/** Counts are guesses from text length; media is never counted as text. */
function usageOf(promptTokens: number, text: string, thoughts: string): UsageMetadata {
  const candidates = estimateTokens(text)
  const thinking = estimateTokens(thoughts)
  return {
    promptTokenCount: promptTokens,
    candidatesTokenCount: candidates,
    thoughtsTokenCount: thinking,
    totalTokenCount: promptTokens + candidates + thinking,
    estimated: true,
  }
}
