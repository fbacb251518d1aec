import {
  MODEL_HEADER,
  readModelHeader,
  readPromptForm,
  trailerEntries,
  type ReadPrompt,
} from '@castorjs/gemini-web-protocol'
import type { Answer, AttachedFile, Question } from './answers/answer.ts'
import { composeAnswer, titleOf, type Studio } from './answers/compose.ts'
import { pause } from './clock.ts'
import { callerName, counterCookies, identify, takeFault, type Caller, type Exchange } from './exchange.ts'
import { findGem } from './gems.ts'
import { serveModel, isKnownModelId, type ServedModel } from './models.ts'
import { playTurn, refusalOf, type Performance } from './play.ts'
import { keepChat, type Chat, type Turn } from './profile.ts'
import { isFramed, JSON_TYPE, respond, respondError, respondFault, streamBody } from './respond.ts'
import { frameOf } from './snapshots.ts'
import { readAsText } from './uploads.ts'
import { writeFrames } from './write-frames.ts'

/** StreamGenerate: all checks of fact sheet §13.1 in the order of the service, then the answer. */
export async function generate(exchange: Exchange, accountIndex: number): Promise<Response> {
  const { world, request, log, signal } = exchange
  const { settings } = world
  const refused = checkForm(exchange)
  if (refused !== undefined) return refused
  const form = readPromptForm(await request.text())
  if (settings.log.secrets && form.token !== undefined) log.token = form.token
  const caller = identify(exchange, accountIndex)
  log.caller = caller.verdict === 'ok' || caller.verdict === 'guest' ? callerName(caller) : `guest (${caller.verdict})`
  const modelHeader = request.headers.get(MODEL_HEADER)
  if (modelHeader !== null) log.modelHeader = modelHeader
  if (form.prompt !== undefined) log.inner = form.prompt.slots
  const header = modelHeader === null ? undefined : readModelHeader(modelHeader)
  const fault = takeFault(exchange, {
    place: 'generate',
    account: callerName(caller),
    ...(header === undefined ? {} : { model: header.modelId }),
  })

  await pause(settings.latency.firstByte, signal)
  const broken = respondFault(exchange, fault)
  if (broken !== undefined) return broken
  if (form.prompt === undefined) return respondError(exchange, 400, 3)
  const stale = checkToken(exchange, caller, form.token)
  if (stale !== undefined) return stale

  const refuse = (code: number): Response => respondRefusal(exchange, caller, code)
  if (modelHeader !== null && (header === undefined || !isKnownModelId(header.modelId))) return refuse(1052)
  const files = findFiles(exchange, form.prompt, caller)
  if (typeof files === 'number') return refuse(files)
  const chat = findChat(form.prompt, caller, header?.modelId)
  if (typeof chat === 'number') return refuse(chat)

  const performance = prepare(exchange, { prompt: form.prompt, caller, files, chat, header, fault })
  const body = streamBody(exchange, writeFrames(playTurn(performance), isFramed(exchange)), fault)
  return respond(exchange, body, {
    type: JSON_TYPE,
    headers: {
      'content-disposition': `attachment; filename="response.bin"; filename*=UTF-8''response.bin`,
      server: 'ESF',
      'x-content-type-options': 'nosniff',
    },
    setCookies: counterCookies(caller.account),
  })
}

/** Method, content type and user agent of both POST endpoints. */
export function checkForm(exchange: Exchange): Response | undefined {
  const { request, world, log } = exchange
  if (request.method !== 'POST') return respondError(exchange, 405, 9)
  if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers.get('content-type') ?? ''))
    return respondError(exchange, 400, 3)
  if ((request.headers.get('user-agent') ?? '') === '') {
    if (world.settings.checks.userAgent === 'refuse') return respondError(exchange, 400, 3)
    if (world.settings.checks.userAgent === 'warn')
      log.warnings.push('There is no User-Agent; guests without one got HTTP 400')
  }
  return undefined
}

/** A signed-in POST without a good token gets 400 with one that works. */
export function checkToken(
  exchange: Exchange,
  { account, profile }: Caller,
  token: string | undefined,
): Response | undefined {
  const { world } = exchange
  if (account === undefined || !world.settings.checks.token) return undefined
  if (token !== undefined && world.accounts.acceptsToken(account, profile, token, world.settings.tokenLifeMs))
    return undefined
  return respondError(exchange, 400, 3, {
    xsrfToken: world.accounts.issueToken(account, profile),
    accountNumber: profile.accountNumber,
    setCookies: counterCookies(account),
  })
}

function respondRefusal(exchange: Exchange, caller: Caller, code: number): Response {
  async function* frames(): AsyncGenerator<ReturnType<typeof frameOf>> {
    yield frameOf([refusalOf({ code })])
    yield frameOf(trailerEntries({ ms: 80, nonce: exchange.world.ids.signed(), small: 35 }))
  }
  const body = streamBody(exchange, writeFrames(frames(), isFramed(exchange)), undefined)
  return respond(exchange, body, { type: JSON_TYPE, setCookies: counterCookies(caller.account) })
}

/** The attached files, or the code of their refusal. */
function findFiles({ world }: Exchange, prompt: ReadPrompt, caller: Caller): AttachedFile[] | number {
  if (prompt.files.length === 0) return []
  if (caller.account === undefined) return 1100
  const files: AttachedFile[] = []
  let textBytes = 0
  for (const { reference, name, mimeType } of prompt.files) {
    const upload = world.uploads.find(reference, world.settings.uploadLifeMs)
    if (upload === undefined) return 1003
    const seen = {
      name: name ?? upload.name,
      mimeType: upload.mimeType === 'application/octet-stream' ? (mimeType ?? upload.mimeType) : upload.mimeType,
      bytes: upload.bytes,
    }
    const text = readAsText(seen)
    textBytes += text === undefined ? 0 : upload.bytes.byteLength
    files.push({ ...seen, ...(text === undefined ? {} : { text }) })
  }
  // Too much text is not read at all, however it is split. Source: fact sheet §7.3.
  if (textBytes <= world.settings.limits.attachmentBytes) return files
  return files.map((file) =>
    file.text === undefined ? file : { ...file, text: '(This file is too long to be read.)' },
  )
}

/** The chat that goes on, undefined for a new one, or the code of a refusal. */
function findChat(
  { continuation }: ReadPrompt,
  { profile, account, known }: Caller,
  modelId: string | undefined,
): Chat | undefined | number {
  if (continuation === undefined) return undefined
  const chat = profile.chats.get(continuation.chatId)
  if (chat === undefined) {
    // A guest who comes without cookies starts anew every time. Source: fact sheet §1.7.
    if (account === undefined) return known ? 1096 : undefined
    return 1097
  }
  if (modelId !== undefined && chat.modelId !== undefined && modelId !== chat.modelId) return 1050
  return chat
}

interface Cast {
  prompt: ReadPrompt
  caller: Caller
  files: AttachedFile[]
  chat: Chat | undefined
  header: ReturnType<typeof readModelHeader>
  fault: Performance['fault']
}

function prepare(exchange: Exchange, { prompt, caller, files, chat, header, fault }: Cast): Performance {
  const { world, url, signal } = exchange
  const { settings, ids, clock } = world
  const { account, profile } = caller
  const requestedId = header?.modelId ?? chat?.modelId
  const model = serveModel({ requestedId, tier: account?.tier ?? 'guest', override: settings.servedModel })
  const history = historyOf(chat, prompt.continuation?.responseId)
  const startedMs = clock.now()
  const chatId = chat?.id ?? `c_${ids.hex(16)}`
  const responseId = `r_${ids.hex(16)}`
  const candidateId = `rc_${ids.hex(16)}`
  const seen = cutPrompt(prompt.prompt, settings.limits.promptBytes)
  const question: Question = {
    prompt: seen,
    history: history.map((turn) => ({
      prompt: turn.prompt,
      text: turn.answer.text,
      ...(turn.answer.extra === undefined ? {} : { extra: turn.answer.extra }),
    })),
    files,
    model,
    thinking: thinks({
      model,
      extended: prompt.extendedThinking && header?.extendedThinking === true,
      signedIn: account !== undefined,
    }),
    signedIn: account !== undefined,
    ...(prompt.toolName === undefined ? {} : { tool: prompt.toolName }),
    ...(prompt.media?.orientation === undefined ? {} : { orientation: prompt.media.orientation }),
    ...(prompt.media?.genres === undefined ? {} : { genres: prompt.media.genres }),
    ...gemOf(profile, prompt.gemId),
  }
  const scripted = world.answers.take(seen, callerName(caller))
  const answer =
    scripted === undefined ? composeAnswer(question, studioOf(exchange, profile.name)) : scriptedAnswer(scripted, seen)
  const temporary = prompt.temporary
  const performance: Performance = {
    settings,
    chatId,
    responseId,
    answer,
    model,
    context: {
      chatId,
      candidateId,
      createdMs: startedMs,
      done: false,
      fromHistory: false,
      planJobId: settings.planJobId,
      ...(settings.links === 'loopback' ? { origin: url.origin } : {}),
    },
    contextToken: `AwAAAAAAAAAQ${ids.token(60)}`,
    eventToken: ids.token(43),
    guest: account === undefined,
    firstTurn: chat === undefined,
    temporary,
    fault,
    signal,
    startedMs,
    now: () => clock.now(),
    trailer: { nonce: ids.signed() },
    store() {
      const now = clock.now()
      const turn: Turn = {
        responseId,
        candidateId,
        prompt: prompt.prompt,
        answer,
        createdMs: startedMs,
        finishedMs: now + (settings.contextToken === 'first' ? settings.unfinishedMs : 0),
        model,
      }
      if (chat === undefined) {
        keepChat(
          profile,
          {
            id: chatId,
            title: answer.title,
            pinned: false,
            unread: true,
            temporary,
            modelId: header?.modelId,
            turns: [turn],
            updatedMs: now,
          },
          settings.limits.chats,
        )
      } else {
        chat.turns.splice(history.length, Infinity, turn)
        chat.updatedMs = now
      }
      startJob(exchange, performance, prompt.prompt, profile.name)
    },
  }
  return performance
}

/** The turns before this one; continuing from an earlier reply leaves the later ones behind. */
function historyOf(chat: Chat | undefined, responseId: string | undefined): Turn[] {
  if (chat === undefined) return []
  const index = chat.turns.findIndex((turn) => turn.responseId === responseId)
  return chat.turns.slice(0, index < 0 ? undefined : index + 1)
}

/** The tail over the limit is cut silently. Source: fact sheet §12. */
function cutPrompt(prompt: string, limitBytes: number): string {
  if (prompt.length * 3 <= limitBytes) return prompt
  const bytes = new TextEncoder().encode(prompt)
  return bytes.byteLength <= limitBytes
    ? prompt
    : new TextDecoder().decode(bytes.subarray(0, limitBytes)).replace(/\ufffd+$/, '')
}

function thinks({ model, extended, signedIn }: { model: ServedModel; extended: boolean; signedIn: boolean }): boolean {
  return signedIn && (extended || model.mode === 'thinking' || model.mode === 'pro')
}

function gemOf(profile: Caller['profile'], gemId: string | undefined): { gem?: { name: string; prompt: string } } {
  const gem = gemId === undefined ? undefined : findGem(profile, gemId)
  return gem === undefined ? {} : { gem }
}

function scriptedAnswer(
  { text, thoughts, snapshots, title }: { text?: string; thoughts?: string; snapshots?: string[]; title?: string },
  prompt: string,
): Answer {
  return {
    title: title ?? titleOf(prompt),
    text: text ?? snapshots?.at(-1) ?? '',
    ...(thoughts === undefined ? {} : { thoughts }),
    ...(snapshots === undefined ? {} : { snapshots }),
  }
}

function studioOf({ world }: Exchange, owner: string): Studio {
  return {
    picture({ name, prompt, width, height }) {
      const asset = world.assets.add({ kind: 'picture', owner, name, prompt, width, height, seconds: 0, readyMs: 0 })
      return { assetId: asset.id, name, width, height }
    },
    file({ name, kind, prompt, width = 0, height = 0, seconds = 0 }) {
      const asset = world.assets.add({ kind, owner, name, prompt, width, height, seconds, readyMs: 0 })
      return { assetId: asset.id, name }
    },
    jobId: () => world.ids.uuid(),
  }
}

/** A stored turn with a video or a research starts its job. */
function startJob(
  { world }: Exchange,
  { answer, chatId, responseId, context }: Performance,
  prompt: string,
  profile: string,
): void {
  const { extra } = answer
  if (extra?.kind !== 'video' && extra?.kind !== 'research') return
  const startedMs = world.clock.now()
  const { videoListed, videoReady, research } = world.settings.durations
  const listedMs = startedMs + (extra.kind === 'video' ? videoListed : research)
  const readyMs = startedMs + (extra.kind === 'video' ? videoReady : research)
  world.jobs.start({
    id: extra.jobId,
    kind: extra.kind,
    profile,
    chatId,
    responseId,
    candidateId: context.candidateId,
    title: answer.title,
    prompt,
    startedMs,
    listedMs,
    readyMs,
  })
  const clip = extra.kind === 'video' ? world.assets.find(extra.clip.assetId) : undefined
  if (clip !== undefined) clip.readyMs = readyMs
}
