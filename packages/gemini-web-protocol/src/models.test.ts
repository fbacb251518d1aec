import { describe, expect, it } from 'vitest'
import {
  buildModelHeader,
  findWebModel,
  generateHeaders,
  MODEL_HEADER,
  type ModelHeaderEra,
  readModelHeader,
  readRequestIdHeader,
  REQUEST_ID_HEADER,
} from './models.ts'

const modelId = 'fbb127bbb056c959'
const sessionUuid = '11111111-2222-4333-8444-555555555555'

describe('model header', () => {
  it.each([
    ['early-2025', {}, `[1,null,null,null,"${modelId}"]`],
    ['late-2025', {}, `[1,null,null,null,"${modelId}",null,null,0,[4]]`],
    ['spring-2026', { capacity: 4 }, `[1,null,null,null,"${modelId}",null,null,0,[4],null,null,4]`],
    [
      'spring-2026',
      { capacity: 2, capacityIndex: 12 },
      `[1,null,null,null,"${modelId}",null,null,0,[4],null,null,null,2]`,
    ],
    [
      'current',
      { sessionUuid },
      `[1,null,null,null,"${modelId}",null,null,0,[4,5,6,8],null,null,1,null,null,1,1,"${sessionUuid}"]`,
    ],
    [
      'current',
      { capacity: 2, capacityIndex: 12, mode: 3, extendedThinking: true },
      `[1,null,null,null,"${modelId}",null,null,0,[4,5,6,8],null,null,null,2,null,3,2,null]`,
    ],
  ] as Array<[ModelHeaderEra, object, string]>)('of %s with %j', (era, options, text) => {
    expect(buildModelHeader({ modelId, era, ...options })).toBe(text)
    expect(readModelHeader(text)).toMatchObject({ era, modelId })
  })

  it.each(['', 'x', '{}', '[]', '[1,null,null,null,5]'])('is refused when it is %j', (text) => {
    expect(readModelHeader(text)).toBeUndefined()
  })

  it('reads what decides', () => {
    expect(
      readModelHeader(
        buildModelHeader({ modelId, mode: 3, capacity: 4, extendedThinking: true, sessionUuid, features: [4, 6] }),
      ),
    ).toEqual({
      era: 'current',
      modelId,
      mode: 3,
      capacity: 4,
      extendedThinking: true,
      features: [4, 6],
      sessionUuid,
    })
  })

  it('goes with the request id', () => {
    const headers = generateHeaders({ model: { modelId }, requestId: 'A' })
    expect(Object.keys(headers)).toHaveLength(4)
    expect(readModelHeader(headers[MODEL_HEADER] ?? '')?.modelId).toBe(modelId)
    expect(readRequestIdHeader(headers[REQUEST_ID_HEADER] ?? '')).toBe('A')
    expect(generateHeaders({ requestId: 'A' })[MODEL_HEADER]).toBeUndefined()
  })
})

describe('findWebModel', () => {
  it('finds by id and by slot, in an overriding table too', () => {
    expect(findWebModel('free-pro')?.id).toBe('9d8ca3786ebdfbea')
    expect(findWebModel(modelId)?.mode).toBe('fast')
    expect(findWebModel('free-pro', [])).toBeUndefined()
  })
})
