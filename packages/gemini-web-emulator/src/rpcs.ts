import {
  buildAccountStatus,
  buildCreatedGem,
  buildExpandedMediaPrompts,
  buildExtensions,
  buildFeatureQuota,
  buildFeatureSwitches,
  buildGems,
  buildJob,
  buildOriginalImageUrl,
  buildPlace,
  buildProfile,
  buildTools,
  buildUploadLimits,
  buildUsage,
  readCreateGemPayload,
  readFeatureQuotaPayload,
  readIdPayload,
  readListGemsPayload,
  readOriginalImagePayload,
  readString,
  readUpdateGemPayload,
  RESEARCH_STATES,
  RPC,
} from '@castorjs/gemini-web-protocol'
import type { Tier } from './accounts.ts'
import { HIDDEN_GEMS, PREDEFINED_GEMS } from './gems.ts'
import { throughEmulator } from './locate.ts'
import { modelsOf } from './models.ts'
import { chatMetadata, deleteChat, library, listChats, markRead, readChat, readTurn } from './rpc-chats.ts'
import { DENIED, EMPTY, INVALID, type Rpc, type RpcContext, type RpcResult } from './rpc.ts'

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
