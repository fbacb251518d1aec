import {
  createGemPayload,
  deleteGemPayload,
  listGemsPayload,
  readCreatedGem,
  readGems,
  RPC,
  updateGemPayload,
  type Gem,
  type GemInput,
  type GemList,
} from '@castorjs/gemini-web-protocol'
import type { Batch } from './batch-execute.ts'
import type { DriftLog } from './drift.ts'

/** Gems of the account. Send a gem's id with every turn of its chat. */
export interface Gems {
  /** `own` by default; `predefined` are Google's. */
  list(options?: { list?: GemList; signal?: AbortSignal }): Promise<Gem[]>
  /** Id of the new gem. */
  create(gem: GemInput, options?: { signal?: AbortSignal }): Promise<string>
  update(gem: Gem, options?: { signal?: AbortSignal }): Promise<void>
  delete(id: string, options?: { signal?: AbortSignal }): Promise<void>
}

export interface GemsPorts {
  batch: Batch
  drifts: DriftLog
  prepare: (signal?: AbortSignal) => Promise<void>
  language: string
}

export function createGems({ batch, drifts, prepare, language }: GemsPorts): Gems {
  async function call(id: string, payload: unknown, signal: AbortSignal | undefined): Promise<unknown> {
    await prepare(signal)
    return batch.one(id, payload, signal === undefined ? {} : { signal })
  }

  return {
    async list({ list = 'own', signal } = {}) {
      const payload = await call(RPC.listGems, listGemsPayload({ list, language }), signal)
      return drifts.read(() => readGems(payload))
    },
    async create(gem, { signal } = {}) {
      const payload = await call(RPC.createGem, createGemPayload(gem), signal)
      return drifts.read(() => readCreatedGem(payload))
    },
    async update(gem, { signal } = {}) {
      await call(RPC.updateGem, updateGemPayload(gem), signal)
    },
    async delete(id, { signal } = {}) {
      await call(RPC.deleteGem, deleteGemPayload(id), signal)
    },
  }
}
