import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPicturePool, type PicturePool } from './picture-pool.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'castor-worker-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function workerOf(name: string, source: string): URL {
  const path = join(folder, `${name}.mjs`)
  writeFileSync(path, source)
  return pathToFileURL(path)
}

async function using<T>(pool: PicturePool, body: (pool: PicturePool) => Promise<T>): Promise<T> {
  try {
    return await body(pool)
  } finally {
    await pool.close()
  }
}

const job = { file: Uint8Array.of(1, 2, 3), base64: false }
const never = new AbortController().signal

describe('createPicturePool', () => {
  it.each([
    ['is missing', pathToFileURL('/nowhere/at/all.mjs')],
    ['cannot be loaded', undefined],
  ])('fails the request, every time, when the worker %s', async (_, missing) => {
    const worker = missing ?? workerOf('broken', "import './not-there.ts'\nexport default () => 1")
    await using(createPicturePool({ worker }), async (pool) => {
      for (let attempt = 0; attempt < 2; attempt++) {
        await expect(Promise.all([pool.process(job, never), pool.process(job, never)])).rejects.toMatchObject({
          code: 'internal',
          message: expect.stringContaining('did not start') as string,
        })
      }
    })
  })

  it('refuses what does not fit into the queue, with a time to wait', async () => {
    const worker = workerOf(
      'slow',
      'export default () => new Promise((done) => setTimeout(() => done({ ok: 1 }), 200))',
    )
    await using(createPicturePool({ worker, maxQueued: 1 }), async (pool) => {
      const results = await Promise.allSettled([1, 2, 3, 4].map(() => pool.process(job, never)))
      expect(results[0]).toEqual({ status: 'fulfilled', value: { ok: 1 } })
      expect(results.at(-1)).toMatchObject({
        reason: {
          code: 'upstream_unavailable',
          retryAfterMs: 5_000,
          message: expect.stringContaining('Too many') as string,
        },
      })
    })
  })

  it('stops for a caller who leaves, and goes on for the next', async () => {
    const worker = workerOf(
      'stuck',
      'export default ({ plan }) => { while (plan?.removeVisibleMark) {} return { ok: 1 } }',
    )
    await using(createPicturePool({ worker }), async (pool) => {
      const leaving = new AbortController()
      const stuck = pool.process({ ...job, plan: { removeVisibleMark: true } }, leaving.signal)
      await pool.process(job, AbortSignal.timeout(50)).catch(() => undefined)
      leaving.abort(new Error('gone'))
      await expect(stuck).rejects.toThrow('gone')
      expect(await pool.process(job, never)).toEqual({ ok: 1 })
    })
  })
})
