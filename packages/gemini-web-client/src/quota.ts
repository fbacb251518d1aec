import {
  FEATURE_QUOTAS,
  featureQuotaPayload,
  readFeatureQuota,
  readUsage,
  RPC,
  usagePayload,
  type FeatureQuota,
  type Usage,
} from '@castorjs/gemini-web-protocol'
import type { Batch } from './batch-execute.ts'

/** What the account has left, as far as the app tells. */
export interface Quota {
  /** All of it together. */
  usage: Usage
  /** By feature: models and video. */
  features: FeatureQuota[]
}

/** Reads usage and feature quotas in one request. */
export async function readQuota(batch: Batch, signal?: AbortSignal): Promise<Quota> {
  const groups = Object.values(FEATURE_QUOTAS)
  const calls = [
    { id: RPC.usage, payload: usagePayload() },
    ...groups.map((pairs, index) => ({
      id: RPC.featureQuota,
      payload: featureQuotaPayload(pairs),
      slot: String(index + 1),
    })),
  ]
  const [usage, ...features] = await batch.all(calls, signal === undefined ? {} : { signal })
  return { usage: readUsage(usage), features: features.flatMap(readFeatureQuota) }
}
