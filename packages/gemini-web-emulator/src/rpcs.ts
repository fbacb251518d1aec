import {
  buildAccountStatus,
  buildChatList,
  buildChatMetadata,
  buildChatTurns,
  buildCreatedGem,
  buildExpandedMediaPrompts,
  buildExtensions,
  buildFeatureQuota,
  buildFeatureSwitches,
  buildGems,
  buildJob,
  buildLibrary,
  buildOriginalImageUrl,
  buildPlace,
  buildProfile,
  buildTools,
  buildUploadLimits,
  buildUsage,
  readChatMetadataPayload,
  readCreateGemPayload,
  readFeatureQuotaPayload,
  readIdPayload,
  readListChatsPayload,
  readListGemsPayload,
  readOriginalImagePayload,
  readReadChatPayload,
  readReadTurnPayload,
  readString,
  readUpdateGemPayload,
  RESEARCH_STATES,
  RPC,
  type ChatSummary,
  type ChatTurnInput,
  type LibraryItem,
} from '@castorjs/gemini-web-protocol'
import type { Tier } from './accounts.ts'
import { finishedCandidate } from './candidate.ts'
import type { Caller, Exchange } from './exchange.ts'
import { HIDDEN_GEMS, PREDEFINED_GEMS } from './gems.ts'
import { throughEmulator } from './locate.ts'
import { modelsOf } from './models.ts'
import type { Chat, Turn } from './profile.ts'

/** What a call answers: a payload, or the status of its refusal. */
export type RpcResult = { payload: unknown } | { refused: number }

export interface RpcContext {
  exchange: Exchange
  caller: Caller
}

type Rpc = (payload: unknown, context: RpcContext) => RpcResult

const INVALID: RpcResult = { refused: 3 }
const DENIED: RpcResult = { refused: 7 }
const EMPTY: RpcResult = { payload: [] }

/** Runs one call. Ids that no client needs answer an empty list. */
export function callRpc(id: string, payload: unknown, context: RpcContext): RpcResult {
  if (!Array.isArray(payload)) return INVALID
  return CALLS[id]?.(payload, context) ?? EMPTY
}

/** Tier flags and capability flags that make clients derive the right capacity. Source: fact sheet §1.5. */
const FLAGS: Readonly<Record<Tier, { tier: number[]; capability: number[] }>> = {
  free: { tier: [1, 3], capability: [21] },
  advanced: { tier: [8], capability: [19, 21] },
  plus: { tier: [1], capability: [21, 115] },
}
const LABELS: Readonly<Record<string, string>> = { lite: 'Fast', fast: 'Flash', thinking: 'Thinking', pro: 'Pro' }
const MODE_NUMBERS: Readonly<Record<string, number>> = { fast: 1, thinking: 2, pro: 3, lite: 6 }

function accountStatus({ caller: { account } }: RpcContext): RpcResult {
  const models = modelsOf(account?.tier ?? 'guest').map(({ id, mode, names }) => ({
    id,
    label: LABELS[mode] ?? mode,
    description: `${names.at(-1)} of the emulator`,
    mode: MODE_NUMBERS[mode] ?? 1,
    name: names.at(-1) ?? '',
  }))
  if (account === undefined) return { payload: buildAccountStatus({ code: 1016, models }) }
  const { tier, capability } = FLAGS[account.tier]
  return {
    payload: buildAccountStatus({
      code: account.status,
      models,
      tierFlags: tier,
      capabilityFlags: capability,
      modes: [1, 2, 3, 5, 6],
    }),
  }
}

/** Stored chats, newest first. */
function storedChats({ caller }: RpcContext): Chat[] {
  if (caller.account === undefined) return []
  return [...caller.profile.chats.values()]
    .filter((chat) => !chat.temporary)
    .sort((a, b) => b.updatedMs - a.updatedMs || (a.id < b.id ? -1 : 1))
}

function summaryOf(chat: Chat): ChatSummary {
  const responseId = chat.turns.at(-1)?.responseId
  return {
    id: chat.id,
    title: chat.title,
    pinned: chat.pinned,
    updatedMs: chat.updatedMs,
    unread: chat.unread,
    kind: 1,
    ...(responseId === undefined ? {} : { responseId }),
  }
}

function listChats(payload: unknown, context: RpcContext): RpcResult {
  const { count, pinned, cursor } = readListChatsPayload(payload)
  const start = cursor === undefined ? 0 : Number(/^castor-(\d+)$/.exec(decode(cursor))?.[1] ?? Number.NaN)
  if (!Number.isFinite(start)) return INVALID
  const chats = storedChats(context).filter((chat) => chat.pinned === pinned)
  const end = start + count
  const next = end < chats.length ? { cursor: btoa(`castor-${end}`) } : {}
  return { payload: buildChatList({ chats: chats.slice(start, end).map(summaryOf), ...next }) }
}

function decode(text: string): string {
  try {
    return atob(text)
  } catch {
    return ''
  }
}

function turnInput(chat: Chat, index: number, { exchange }: RpcContext): ChatTurnInput {
  const { world, url } = exchange
  const turn = chat.turns[index] as Turn
  const before = chat.turns[index - 1]
  const { extra } = turn.answer
  const jobId = extra?.kind === 'video' || extra?.kind === 'research' ? extra.jobId : undefined
  const candidate = finishedCandidate(turn.answer, {
    chatId: chat.id,
    candidateId: turn.candidateId,
    createdMs: turn.createdMs,
    done: jobId !== undefined && world.jobs.isListed(jobId),
    fromHistory: true,
    planJobId: world.settings.planJobId,
    ...(world.settings.links === 'loopback' ? { origin: url.origin } : {}),
  })
  const unfinished = world.clock.now() < turn.finishedMs
  return {
    chatId: chat.id,
    responseId: turn.responseId,
    prompt: turn.prompt,
    createdMs: turn.createdMs,
    // While an answer is being made, history shows that a tool is at work. Source: fact sheet §5.3.
    candidates: [unfinished ? { id: turn.candidateId, text: '', working: true } : candidate],
    ...(before === undefined
      ? {}
      : { previous: { chatId: chat.id, responseId: before.responseId, candidateId: before.candidateId } }),
  }
}

function readChat(payload: unknown, context: RpcContext): RpcResult {
  const request = readReadChatPayload(payload)
  if (request === undefined) return INVALID
  const chat = context.caller.profile.chats.get(request.chatId)
  const { layout } = context.exchange.world.settings
  if (chat === undefined) return { payload: buildChatTurns([], { layout }) }
  const newest = chat.turns.map((_, index) => turnInput(chat, index, context)).reverse()
  return { payload: buildChatTurns(newest.slice(0, Math.max(1, request.limit)), { layout }) }
}

function readTurn(payload: unknown, context: RpcContext): RpcResult {
  const request = readReadTurnPayload(payload)
  const chat = request === undefined ? undefined : context.caller.profile.chats.get(request.chatId)
  const index = chat?.turns.findIndex((turn) => turn.responseId === request?.responseId) ?? -1
  if (request === undefined) return INVALID
  return {
    payload: buildChatTurns(chat === undefined || index < 0 ? [] : [turnInput(chat, index, context)], {
      layout: context.exchange.world.settings.layout,
    }),
  }
}

function deleteChat(payload: unknown, { caller }: RpcContext): RpcResult {
  const id = readIdPayload(payload)
  if (id === undefined) return INVALID
  caller.profile.chats.delete(id)
  return EMPTY
}

function markRead(payload: unknown, { caller }: RpcContext): RpcResult {
  const chat = caller.profile.chats.get(readIdPayload(payload) ?? '')
  if (chat !== undefined) chat.unread = false
  return EMPTY
}

function chatMetadata(payload: unknown, { caller }: RpcContext): RpcResult {
  const chat = caller.profile.chats.get(readChatMetadataPayload(payload) ?? '')
  return chat === undefined ? INVALID : { payload: buildChatMetadata(summaryOf(chat)) }
}

function listGems(payload: unknown, { caller }: RpcContext): RpcResult {
  const { list } = readListGemsPayload(payload)
  if (list === 'own') return { payload: buildGems([...caller.profile.gems.values()]) }
  return { payload: buildGems(list === 'withHidden' ? [...PREDEFINED_GEMS, ...HIDDEN_GEMS] : PREDEFINED_GEMS) }
}

function createGem(payload: unknown, { caller, exchange }: RpcContext): RpcResult {
  const gem = readCreateGemPayload(payload)
  if (gem === undefined) return INVALID
  if (caller.account === undefined) return DENIED
  const id = exchange.world.ids.hex(12)
  caller.profile.gems.set(id, { id, ...gem })
  return { payload: buildCreatedGem(id) }
}

function updateGem(payload: unknown, { caller }: RpcContext): RpcResult {
  const gem = readUpdateGemPayload(payload)
  if (gem === undefined) return INVALID
  if (!caller.profile.gems.has(gem.id)) return { refused: 5 }
  caller.profile.gems.set(gem.id, gem)
  return EMPTY
}

function deleteGem(payload: unknown, { caller }: RpcContext): RpcResult {
  const id = readIdPayload(payload)
  if (id === undefined) return INVALID
  return caller.profile.gems.delete(id) ? EMPTY : { refused: 5 }
}

function jobStatus(payload: unknown, { caller, exchange }: RpcContext): RpcResult {
  const { jobs, clock } = exchange.world
  const job = jobs.find(readIdPayload(payload) ?? '')
  if (job === undefined || job.profile !== caller.profile.name) return INVALID
  const done = clock.now() >= job.listedMs
  const { id, chatId, responseId, candidateId, title, prompt, startedMs, listedMs } = job
  return {
    payload: buildJob({
      id,
      chatId,
      responseId,
      candidateId,
      title,
      prompt,
      createdMs: startedMs,
      done,
      research: job.kind === 'research',
      ...(done ? { finishedMs: listedMs } : {}),
      ...(job.kind === 'research' && !done ? { state: RESEARCH_STATES.running } : {}),
    }),
  }
}

function originalImage(payload: unknown, { caller, exchange }: RpcContext): RpcResult {
  const request = readOriginalImagePayload(payload)
  if (request === undefined) return INVALID
  const chat = caller.profile.chats.get(request.chatId)
  if (chat?.temporary === true) return DENIED
  const turn = chat?.turns.find(
    (each) => each.responseId === request.responseId && each.candidateId === request.candidateId,
  )
  const index = Number(/\/(\d+)$/.exec(request.imageId)?.[1] ?? 0)
  const picture = turn?.answer.extra?.kind === 'pictures' ? turn.answer.extra.pictures[index] : undefined
  if (picture === undefined || caller.account === undefined) return INVALID
  const link = `https://lh3.googleusercontent.com/gg/${picture.assetId}`
  return {
    payload: buildOriginalImageUrl(
      exchange.world.settings.links === 'loopback' ? throughEmulator(link, exchange.url.origin) : link,
    ),
  }
}

function library(payload: unknown, context: RpcContext): RpcResult {
  const limit = Array.isArray(payload) && typeof payload[1] === 'number' ? payload[1] : 13
  const start = Number(/^castor-(\d+)$/.exec(decode(readString(payload, [2]) ?? ''))?.[1] ?? 0)
  const items: LibraryItem[] = []
  for (const chat of storedChats(context)) {
    for (const turn of chat.turns.toReversed()) {
      if (turn.answer.extra === undefined) continue
      items.push({
        chatId: chat.id,
        responseId: turn.responseId,
        candidateId: turn.candidateId,
        title: turn.answer.title,
        snippet: turn.prompt.slice(0, 80),
        kind: 1,
        createdMs: turn.createdMs,
      })
    }
  }
  const end = start + limit
  return {
    payload: buildLibrary({
      items: items.slice(start, end),
      ...(end < items.length ? { cursor: btoa(`castor-${end}`) } : {}),
    }),
  }
}

function featureQuota(payload: unknown, { exchange }: RpcContext): RpcResult {
  const resetMs = exchange.world.clock.now() + 18_000_000
  return {
    payload: buildFeatureQuota(
      readFeatureQuotaPayload(payload).map(([type, action]) => ({
        type,
        action,
        usedPercent: 0,
        resetMs,
        total: 100,
        remaining: 100,
      })),
    ),
  }
}

function expandMediaPrompt(payload: unknown): RpcResult {
  const prompt = readString(payload, [0])
  if (prompt === undefined) return INVALID
  return {
    payload: buildExpandedMediaPrompts([
      `${prompt}, in soft morning light`,
      `${prompt}, seen from above`,
      `${prompt}, in bold colours`,
    ]),
  }
}

const SWITCHES = [1, 4, 6, 15, 20, 22, 23].map((number) => ({ number, enabled: true, value: 1 }))

/** Every call that does something. Source: fact sheet §6.2. */
const CALLS: Readonly<Record<string, Rpc>> = {
  [RPC.status]: (_, context) => accountStatus(context),
  [RPC.listChats]: listChats,
  [RPC.readChat]: readChat,
  [RPC.readTurn]: readTurn,
  [RPC.deleteChat]: deleteChat,
  [RPC.markRead]: markRead,
  [RPC.chatMetadata]: chatMetadata,
  [RPC.listGems]: listGems,
  [RPC.createGem]: createGem,
  [RPC.updateGem]: updateGem,
  [RPC.deleteGem]: deleteGem,
  [RPC.readPreferences]: () => ({ payload: [1] }),
  [RPC.writePreferences]: () => ({ payload: [1] }),
  [RPC.featureQuota]: featureQuota,
  [RPC.usage]: () => ({ payload: buildUsage({ blocked: false, fraction: 0 }) }),
  [RPC.job]: jobStatus,
  [RPC.originalImage]: originalImage,
  [RPC.library]: library,
  [RPC.uploadLimits]: () => ({ payload: buildUploadLimits() }),
  [RPC.expandMediaPrompt]: expandMediaPrompt,
  [RPC.profile]: (_, { caller: { profile } }) => ({
    payload: profile.guest ? [] : buildProfile({ id: profile.accountNumber, name: profile.name, email: profile.email }),
  }),
  [RPC.place]: () => ({ payload: buildPlace('Example City, Exampleland') }),
  [RPC.tools]: () => ({
    payload: buildTools([
      { names: ['google_calendar_2'], label: 'Google Calendar' },
      { names: ['workspace_tool', 'Gmail'], label: 'Gmail' },
    ]),
  }),
  [RPC.extensions]: () => ({
    payload: buildExtensions([
      { id: 'workspace_tool', label: 'Google Workspace', description: 'Finds what is in your own documents' },
    ]),
  }),
  [RPC.featureSwitches]: () => ({ payload: buildFeatureSwitches(SWITCHES) }),
}
