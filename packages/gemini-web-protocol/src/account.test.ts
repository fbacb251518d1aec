import { describe, expect, it } from 'vitest'
import {
  buildAccountStatus,
  buildExtensions,
  buildFeatureSwitches,
  buildPlace,
  buildProfile,
  buildTools,
  deriveCapacity,
  readAccountStatus,
  readExtensions,
  readFeatureSwitches,
  readPlace,
  readProfile,
  readTools,
} from './account.ts'
import { buildJob, readJob } from './jobs.ts'
import {
  buildFeatureQuota,
  buildUploadLimits,
  buildUsage,
  FEATURE_QUOTAS,
  featureQuotaPayload,
  readFeatureQuota,
  readFeatureQuotaPayload,
  readUploadLimits,
  readUsage,
} from './quota.ts'

describe('account status', () => {
  it('reads what it wrote', () => {
    const model = { id: '9d8ca3786ebdfbea', label: 'Pro', description: 'Advanced', mode: 3, name: '3.1 Pro' }
    expect(
      readAccountStatus(
        buildAccountStatus({
          code: 1_000,
          models: [model],
          tierFlags: [1, 3],
          capabilityFlags: [19],
          modes: [1, 5, 3],
        }),
      ),
    ).toEqual({
      code: 1_000,
      meaning: 'available',
      blocked: false,
      guest: false,
      models: [model],
      tierFlags: [1, 3],
      capabilityFlags: [19],
      capacity: 2,
      capacityIndex: 11,
      modes: [1, 5, 3],
    })
  })

  it.each([
    [1_000, false],
    [1_014, true],
    [1_016, false],
    [1_021, true],
    [1_033, false],
    [1_054, true],
    [1_060, true],
    [4_711, true],
  ])('%i blocks: %j', (code, blocked) => {
    expect(readAccountStatus(buildAccountStatus({ code }))).toMatchObject({ code, blocked, guest: code === 1_016 })
  })

  it('means available when there is no code', () => {
    expect(readAccountStatus([])).toMatchObject({ code: 1_000, blocked: false, models: [] })
  })

  it.each([
    [[21, 22], [], 1, 12],
    [[22], [115], 2, 12],
    [[], [115, 106], 4, 11],
    [[16, 8], [], 3, 11],
    [[], [106, 19], 3, 11],
    [[8], [], 2, 11],
    [[], [19], 2, 11],
    [[1, 3], [8, 21], 1, 11],
  ])('tier %j and capabilities %j give capacity %i at index %i', (tier, capabilities, capacity, capacityIndex) => {
    expect(deriveCapacity(tier, capabilities)).toEqual({ capacity, capacityIndex })
  })
})

describe('what an account has', () => {
  it('reads what it wrote', () => {
    const profile = { id: '1', name: 'Ada', photoUrl: 'https://lh3.googleusercontent.com/a', email: 'ada@example.com' }
    expect(readProfile(buildProfile(profile))).toEqual(profile)
    expect(readPlace(buildPlace('Example City'))).toBe('Example City')
    const tool = { names: ['workspace_tool', 'Gmail'], label: 'Gmail', iconUrl: 'https://example.com/i.png' }
    expect(readTools(buildTools([tool]))).toEqual([tool])
    const extension = { id: 'workspace_tool', label: 'Google Workspace', description: 'Mail and files' }
    expect(readExtensions(buildExtensions([extension]))).toEqual([extension])
    expect(readFeatureSwitches(buildFeatureSwitches([{ number: 5, enabled: true, value: 600 }]))).toEqual([
      { number: 5, enabled: true, value: 600 },
    ])
  })

  it('has quotas', () => {
    expect(readFeatureQuotaPayload(featureQuotaPayload(FEATURE_QUOTAS.video))).toEqual([[6, 5]])
    const quota = { type: 1, action: 11, usedPercent: 40, resetMs: 1_790_010_000_000, total: 100, remaining: 60 }
    expect(readFeatureQuota(buildFeatureQuota([quota]))).toEqual([quota])
    expect(readUsage(buildUsage({ blocked: true, fraction: 1, resetMs: 1_790_010_000_000 }))).toEqual({
      blocked: true,
      fraction: 1,
      resetMs: 1_790_010_000_000,
    })
    expect(buildUsage({ blocked: false, fraction: 0 })).toEqual([false, 0, []])
    expect(readUploadLimits(buildUploadLimits())).toEqual([500, 300, 500_000])
  })

  it('has jobs', () => {
    const job = {
      id: 'j',
      chatId: 'c_1',
      responseId: 'r_1',
      candidateId: 'rc_1',
      title: 'Boat',
      prompt: 'a boat',
      createdMs: 1_790_000_010_000,
    }
    expect(readJob(buildJob({ ...job, done: false }))).toEqual({ ...job, done: false })
    expect(readJob(buildJob({ ...job, done: true, finishedMs: 1_790_000_088_250 }))).toEqual({
      ...job,
      done: true,
      finishedMs: 1_790_000_088_250,
    })
    expect(readJob(buildJob({ ...job, done: false, state: 3 }))).toEqual({ ...job, done: false, state: 3 })
    expect(readJob([])).toBeUndefined()
  })
})
