import { pause } from './clock.ts'
import type { Fault } from './faults.ts'

export interface BodyOptions {
  /** See `EmulatorSettings.chunkBytes`. */
  chunkBytes: number | 'frame' | 'whole'
  fault?: Fault | undefined
  /** Ends the body with an error when it fires. */
  signal: AbortSignal
  /** Breaks the connection under the body. */
  reset: () => void
  /** Called once when the body is over, for whatever reason. */
  onEnd?: () => void
}

/** Ends a body in the way of a broken connection. */
class Broken extends Error {}

/**
 * Frames as a response body: cut to size, with faults put in. Nothing is made before it is asked
 * for, and a caller who leaves ends the frames at once.
 */
export function toBody(
  frames: AsyncGenerator<string | Uint8Array>,
  { chunkBytes, fault, signal, reset, onEnd }: BodyOptions,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const leaving = new AbortController()
  const chunks = cut(strike(toBytes(frames), fault, leaving.signal), chunkBytes)
  let over = false
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>

  function end(): boolean {
    if (over) return false
    over = true
    signal.removeEventListener('abort', onAbort)
    onEnd?.()
    return true
  }
  function onAbort(): void {
    if (!end()) return
    controller.error(signal.reason)
    void leave()
  }
  async function leave(): Promise<void> {
    // First the signal, then the generators: a pause in the middle would otherwise hold them.
    leaving.abort()
    await chunks.return(undefined).catch(() => undefined)
  }

  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start(given) {
        controller = given
        signal.addEventListener('abort', onAbort)
      },
      async pull() {
        try {
          const next = await chunks.next()
          if (over) return
          if (next.done === true) {
            end()
            controller.close()
          } else controller.enqueue(next.value)
        } catch (error) {
          if (!end()) return
          if (error instanceof Broken) reset()
          controller.error(error instanceof Broken ? new TypeError('terminated: the connection was reset') : error)
        }
      },
      async cancel() {
        end()
        await leave()
      },
    },
    { highWaterMark: 0 },
  )
}

const encoder = new TextEncoder()

async function* toBytes(frames: AsyncGenerator<string | Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const frame of frames)
    yield (typeof frame === 'string' ? encoder.encode(frame) : frame) as Uint8Array<ArrayBuffer>
}

async function* strike(
  frames: AsyncGenerator<Uint8Array<ArrayBuffer>>,
  fault: Fault | undefined,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (fault === undefined || !['cut', 'reset', 'stall', 'garbage', 'wrong-length'].includes(fault.kind))
    return yield* frames
  const { afterBytes, afterFrames } = fault as { afterBytes?: number; afterFrames?: number }
  const frameLimit = afterFrames ?? (afterBytes === undefined ? 2 : Infinity)
  const byteLimit = afterBytes ?? Infinity
  let count = 0
  let bytes = 0
  let struck = false
  for await (const frame of frames) {
    if (!struck && (count >= frameLimit || bytes + frame.byteLength > byteLimit)) {
      struck = true
      const before = frame.subarray(0, Math.max(0, Math.min(byteLimit - bytes, frame.byteLength)))
      const partial = count < frameLimit
      if (partial && before.byteLength > 0) yield before
      if (fault.kind === 'cut') return
      if (fault.kind === 'reset') throw new Broken('reset')
      if (fault.kind === 'stall') {
        await pause(fault.ms ?? 2_147_483_647, signal)
        if (signal.aborted) return
      } else if (fault.kind === 'garbage') yield encoder.encode(fault.text ?? '[[ not json\n')
      else if (fault.kind === 'wrong-length') {
        yield encoder.encode(encodeWrongLength(frame))
        bytes += frame.byteLength
        count++
        continue
      }
      yield partial ? frame.subarray(before.byteLength) : frame
    } else yield frame
    bytes += frame.byteLength
    count++
  }
  // A limit behind the end still strikes there.
  if (!struck && fault.kind === 'reset') throw new Broken('reset')
}

function encodeWrongLength(frame: Uint8Array): string {
  return new TextDecoder().decode(frame).replace(/\d+(?=\n)/, (digits) => String(Number(digits) + 3))
}

async function* cut(
  chunks: AsyncGenerator<Uint8Array<ArrayBuffer>>,
  size: number | 'frame' | 'whole',
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (size === 'frame') return yield* chunks
  if (size === 'whole') {
    const parts: Uint8Array<ArrayBuffer>[] = []
    for await (const chunk of chunks) parts.push(chunk)
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
    let offset = 0
    for (const part of parts) {
      whole.set(part, offset)
      offset += part.byteLength
    }
    return yield whole
  }
  for await (const chunk of chunks) {
    for (let offset = 0; offset < chunk.byteLength; offset += size) yield chunk.subarray(offset, offset + size)
  }
}
