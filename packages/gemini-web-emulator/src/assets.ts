import type { Ids } from './ids.ts'

/** A file that can be downloaded; its bytes are made on the first download. */
export interface Asset {
  readonly id: string
  readonly kind: 'picture' | 'video' | 'audio' | 'captions'
  /** Name of the profile that may download it. */
  readonly owner: string
  readonly name: string
  /** What it shows. */
  readonly prompt: string
  readonly width: number
  readonly height: number
  readonly seconds: number
  /** Answers 206 until then, in Unix milliseconds. */
  readyMs: number
}

export interface Assets {
  add(asset: Omit<Asset, 'id'>): Asset
  find(id: string): Asset | undefined
  /** A signed hop that works once and leads to `target`. */
  sign(target: { assetId: string; option: string }): string
  /** Uses up a signed hop. */
  redeem(token: string): { assetId: string; option: string } | undefined
  clear(): void
}

/** Assets kept; the oldest go first. */
const MOST = 5_000

export function createAssets(ids: Ids): Assets {
  const assets = new Map<string, Asset>()
  const signed = new Map<string, { assetId: string; option: string }>()
  const trim = (map: Map<string, unknown>): void => {
    for (const oldest of map.keys()) {
      if (map.size <= MOST) break
      map.delete(oldest)
    }
  }
  return {
    add(fields) {
      const asset = { ...fields, id: `AB${ids.token(30)}` }
      assets.set(asset.id, asset)
      trim(assets)
      return asset
    },
    find: (id) => assets.get(id),
    sign(target) {
      const token = `AS${ids.token(38)}`
      signed.set(token, target)
      trim(signed)
      return token
    },
    redeem(token) {
      const target = signed.get(token)
      signed.delete(token)
      return target
    },
    clear() {
      assets.clear()
      signed.clear()
    },
  }
}
