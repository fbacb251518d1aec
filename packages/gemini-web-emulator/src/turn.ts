import type { ReadPrompt, readModelHeader } from '@castorjs/gemini-web-protocol'
import type { Answer, AttachedFile, Question } from './answers/answer.ts'
import { composeAnswer, titleOf, type Studio } from './answers/compose.ts'
import { callerName, type Caller, type Exchange } from './exchange.ts'
import { findGem } from './gems.ts'
import { serveModel, type ServedModel } from './models.ts'
import type { Performance } from './play.ts'
import { keepChat, type Chat, type Turn } from './profile.ts'

/** What the checks found out about a request. */
export interface Cast {
  prompt: ReadPrompt
  caller: Caller
  files: AttachedFile[]
  chat: Chat | undefined
  header: ReturnType<typeof readModelHeader>
  fault: Performance['fault']
}

/** Makes the answer and everything that is needed to play it. */
export function prepareTurn(exchange: Exchange, { prompt, caller, files, chat, header, fault }: Cast): Performance {
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
