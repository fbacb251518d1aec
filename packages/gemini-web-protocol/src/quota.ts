/** Quotas: per feature (`qpEbW`), overall (`aPya6c`), uploads (`mhs1xe`). Source: fact sheet §6.2. */

import { withoutUndefined } from './fields.ts'
import { get, readList, readNumber, wirePath } from './path.ts'

/** Pairs of type and action that the page asks for. Source: fact sheet §6.2 [M]. */
export const FEATURE_QUOTAS = {
  proAndThinking: [
    [1, 4],
    [6, 6],
    [1, 15],
  ],
  flash: [
    [1, 11],
    [2, 11],
    [6, 11],
  ],
  video: [[6, 5]],
} as const

/** Actions of a quota row. Source: fact sheet §6.2 [M]. */
export const QUOTA_ACTIONS = { pro: 4, video: 5, flash: 11, thinking: 15 } as const

/** Payload of `qpEbW`. [M] */
export function featureQuotaPayload(
  pairs: readonly (readonly [type: number, action: number] | readonly number[])[],
): unknown[] {
  return [pairs]
}

export interface FeatureQuota {
  type: number
  action: number
  usedPercent?: number
  resetMs?: number
  /** 0 = unlimited. */
  total?: number
  remaining?: number
}

/** Rows of `qpEbW`. Shape: `[[type,action],_,used percent,[reset sec],total,remaining]`. Source: fact sheet §6.2 [M]. */
const QUOTA_ROWS = wirePath('QUOTA_ROWS', 0)

export function readFeatureQuotaPayload(payload: unknown): Array<[number, number]> {
  return (readList(payload, [0]) ?? []).map((pair) => [readNumber(pair, [0]) ?? 0, readNumber(pair, [1]) ?? 0])
}

export function readFeatureQuota(payload: unknown): FeatureQuota[] {
  return (readList(payload, QUOTA_ROWS) ?? []).map((row) => {
    const reset = readNumber(row, [3, 0])
    return {
      type: readNumber(row, [0, 0]) ?? 0,
      action: readNumber(row, [0, 1]) ?? 0,
      ...withoutUndefined({
        usedPercent: readNumber(row, [2]),
        resetMs: reset === undefined ? undefined : reset * 1_000,
        total: readNumber(row, [4]),
        remaining: readNumber(row, [5]),
      }),
    }
  })
}

export function buildFeatureQuota(rows: readonly FeatureQuota[]): unknown[] {
  return [
    rows.map(({ type, action, usedPercent = 0, resetMs = 0, total = 0, remaining = 0 }) => [
      [type, action],
      null,
      usedPercent,
      [Math.floor(resetMs / 1_000)],
      total,
      remaining,
    ]),
  ]
}

export interface Usage {
  blocked: boolean
  /** 0 to 1. */
  fraction: number
  resetMs?: number
}

/** Payload of `aPya6c`. [M] */
export function usagePayload(): unknown[] {
  return []
}

/** Reply of `aPya6c`: `[blocked,fraction,[reset sec]]`. [M] */
export function readUsage(payload: unknown): Usage {
  const reset = readNumber(payload, [2, 0])
  return {
    blocked: get(payload, 0) === true,
    fraction: readNumber(payload, [1]) ?? 0,
    ...withoutUndefined({ resetMs: reset === undefined ? undefined : reset * 1_000 }),
  }
}

export function buildUsage({ blocked, fraction, resetMs }: Usage): unknown[] {
  return [blocked, fraction, resetMs === undefined ? [] : [Math.floor(resetMs / 1_000)]]
}

/** Payload of `mhs1xe`. [W] */
export function uploadLimitsPayload(): unknown[] {
  return [[1, 3]]
}

/** Reply of `mhs1xe`: `[[[[500,300,500000]]]]`; the units are not known. [W] */
export function readUploadLimits(payload: unknown): number[] {
  return (readList(payload, [0, 0, 0]) ?? []).filter((value) => typeof value === 'number')
}

export function buildUploadLimits(numbers: readonly number[] = [500, 300, 500_000]): unknown[] {
  return [[[numbers]]]
}
