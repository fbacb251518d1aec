import { describe, expect, it } from 'vitest'
import {
  buildCreatedGem,
  buildGems,
  createGemPayload,
  listGemsPayload,
  readCreatedGem,
  readCreateGemPayload,
  readGems,
  readListGemsPayload,
  readUpdateGemPayload,
  updateGemPayload,
} from './gems.ts'

const gem = { id: '5e6f708192a3', name: 'Haiku helper', description: 'Writes haiku', prompt: 'Answer with one haiku.' }

describe('gems', () => {
  it('lists own, predefined and hidden ones', () => {
    expect(listGemsPayload()).toEqual([2, ['en'], 0])
    expect(listGemsPayload({ list: 'predefined' })).toEqual([3, ['en'], 0])
    expect(readListGemsPayload([4, ["'de'"], 0])).toEqual({ list: 'withHidden', language: 'de' })
    expect(readListGemsPayload([1, ['en'], 0])).toEqual({ list: 'own', language: 'en' })
  })

  it('reads what it wrote, also when there are none', () => {
    expect(readGems(buildGems([gem]))).toEqual([gem])
    expect(buildGems([])).toEqual([])
    expect(readGems([])).toEqual([])
    expect(() => readGems([null, null, 1])).toThrow('GEM_ROWS')
  })

  it('creates and updates', () => {
    const { id, ...input } = gem
    expect(createGemPayload(input)).toEqual([
      [gem.name, gem.description, gem.prompt, null, null, null, null, null, 0, null, 1, null, null, null, []],
    ])
    expect(readCreateGemPayload(createGemPayload(input))).toEqual(input)
    expect(readUpdateGemPayload(updateGemPayload(gem))).toEqual(gem)
    expect(readCreatedGem(buildCreatedGem(id))).toBe(id)
    expect(() => readCreatedGem([])).toThrow('CREATED_GEM')
    expect(readCreateGemPayload([])).toBeUndefined()
  })
})
