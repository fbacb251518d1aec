import { startGeminiWebEmulator } from '@castorjs/gemini-web-emulator/node'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { cookiesOf } from '../test/emulated.ts'
import { createGeminiWebGenerator } from './content-generator.ts'
import { createGeminiWebNodeClient } from './node.ts'

/** Streams in all, and at a time. */
const STREAMS = 1_000
const BATCH = 40

/** Things that keep a program alive, but for those that were there before. */
function alive(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => /TCP|Timeout|Pipe|TLS/.test(name))
    .sort()
}

it('leaves no socket, timer or lease behind when 1,000 streams are left at random points', async () => {
  const before = alive()
  const running = await startGeminiWebEmulator({ port: 0, settings: { log: { size: 10 }, snapshotChars: 8 } })
  const client = createGeminiWebNodeClient({
    cookies: cookiesOf(running.emulator, 'grace'),
    baseUrls: running.hosts,
    maxConcurrent: 16,
  })
  const generator = createGeminiWebGenerator(client)
  await client.start()

  /** Reads some chunks, then leaves the loop or aborts, perhaps while a chunk is awaited. */
  async function leave(chunks: number, how: 'return' | 'abort' | 'abort-later', delayMs: number): Promise<void> {
    const controller = new AbortController()
    const timer = how === 'abort-later' ? setTimeout(() => controller.abort(), delayMs) : undefined
    const request = {
      model: 'gemini-3-fast',
      contents: [{ parts: [{ text: 'Tell me about the sea in many words.' }] }],
    }
    try {
      let seen = 0
      for await (const _ of generator.generateContentStream(request, { signal: controller.signal, requestId: 'r' })) {
        if (seen++ < chunks) continue
        if (how === 'return') break
        if (how === 'abort') controller.abort()
      }
    } catch (error) {
      expect(error).toMatchObject({ code: 'aborted' })
    } finally {
      clearTimeout(timer)
    }
  }

  const point = fc.tuple(fc.nat(12), fc.constantFrom('return', 'abort', 'abort-later'), fc.nat(25))
  await fc.assert(
    fc.asyncProperty(fc.array(point, { minLength: BATCH, maxLength: BATCH }), async (points) => {
      await Promise.all(points.map(([chunks, how, delayMs]) => leave(chunks, how, delayMs)))
      expect(client.status()).toMatchObject({ running: 0, waiting: 0 })
    }),
    { numRuns: STREAMS / BATCH, endOnFailure: true },
  )

  await expect.poll(() => running.emulator.open).toBe(0)
  await client.close()
  await running.close()
  await expect.poll(alive).toEqual(before)
})

it('leaves nothing behind when the web app dies in mid-answer', async () => {
  const before = alive()
  const running = await startGeminiWebEmulator({ port: 0, settings: { latency: { snapshot: 20 }, snapshotChars: 4 } })
  const client = createGeminiWebNodeClient({
    cookies: cookiesOf(running.emulator, 'grace'),
    baseUrls: running.hosts,
    recovery: { pollMs: 5, totalMs: 20 },
  })
  const generator = createGeminiWebGenerator(client)
  const request = { model: 'gemini-3-fast', contents: [{ parts: [{ text: 'Tell me about the sea in many words.' }] }] }
  const options = { signal: new AbortController().signal, requestId: 'r' }
  const read = async (): Promise<void> => {
    let chunks = 0
    for await (const _ of generator.generateContentStream(request, options)) if (++chunks === 3) await running.close()
  }
  await expect(read()).rejects.toMatchObject({ code: 'upstream_unavailable', fault: 'upstream' })
  await expect(generator.models(options)).resolves.not.toHaveLength(0)
  await expect(client.generate('Hello')).rejects.toMatchObject({ code: 'network' })
  await client.close()
  await expect.poll(alive).toEqual(before)
})
