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
  /** A body that breaks is ended by `reset` alone, because its reader would report an error of ours. */
  silent?: boolean
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
  { chunkBytes, fault, signal, reset, silent = false, onEnd }: BodyOptions,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const leaving = new AbortController()
  const source = strikesBody(fault) ? strike(frames, fault, leaving.signal) : frames
  const size = typeof chunkBytes === 'number' ? chunkBytes : Infinity
  /** Bytes that are made but not sent. */
  let rest: Uint8Array<ArrayBuffer> | undefined
  let over = false
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>

  function end(): boolean {
    if (over) return false
    over = true
    signal.removeEventListener('abort', onAbort)
    onEnd?.()
    return true
  }
  function fail(error: unknown, broken: boolean): void {
    if (broken || silent) reset()
    if (silent) controller.close()
    else controller.error(error)
  }
  function onAbort(): void {
    if (!end()) return
    fail(signal.reason, false)
    void leave()
  }
  async function leave(): Promise<void> {
    // First the signal, then the generators: a pause in the middle would otherwise hold them.
    leaving.abort()
    await source.return(undefined).catch(() => undefined)
  }
  function sendRest(): void {
    if (rest === undefined) return
    controller.enqueue(rest.byteLength > size ? rest.subarray(0, size) : rest)
    rest = rest.byteLength > size ? rest.subarray(size) : undefined
  }

  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start(given) {
        controller = given
        signal.addEventListener('abort', onAbort)
      },
      async pull() {
        if (rest !== undefined) return sendRest()
        try {
          const next = chunkBytes === 'whole' ? await readWhole(source) : await source.next()
          if (over) return
          if (next.done === true) {
            end()
            controller.close()
          } else {
            rest = toBytes(next.value)
            sendRest()
          }
        } catch (error) {
          if (end())
            fail(
              error instanceof Broken ? new TypeError('terminated: the connection was reset') : error,
              error instanceof Broken,
            )
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

function toBytes(frame: string | Uint8Array): Uint8Array<ArrayBuffer> {
  return (typeof frame === 'string' ? encoder.encode(frame) : frame) as Uint8Array<ArrayBuffer>
}

/** All frames as one piece; done when there was nothing left. */
async function readWhole(source: AsyncGenerator<string | Uint8Array>): Promise<IteratorResult<Uint8Array>> {
  const parts: Uint8Array<ArrayBuffer>[] = []
  for await (const frame of source) parts.push(toBytes(frame))
  if (parts.length === 0) return { done: true, value: undefined }
  return { done: false, value: new Uint8Array(await new Blob(parts).arrayBuffer()) }
}

type BodyFault = Extract<Fault, { kind: 'cut' | 'reset' | 'stall' | 'garbage' | 'wrong-length' }>

function strikesBody(fault: Fault | undefined): fault is BodyFault {
  return fault !== undefined && ['cut', 'reset', 'stall', 'garbage', 'wrong-length'].includes(fault.kind)
}

/** Frames with something going wrong at the place the fault names; without one, behind the second frame. */
async function* strike(
  frames: AsyncGenerator<string | Uint8Array>,
  fault: BodyFault,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const afterBytes = 'afterBytes' in fault ? fault.afterBytes : undefined
  const frameLimit = fault.afterFrames ?? (afterBytes === undefined ? 2 : Infinity)
  const byteLimit = afterBytes ?? Infinity
  let count = 0
  let bytes = 0
  let struck = false
  for await (const piece of frames) {
    const frame = toBytes(piece)
    if (!struck && (count >= frameLimit || bytes + frame.byteLength > byteLimit)) {
      struck = true
      // A limit in bytes falls inside a frame.
      const before = count < frameLimit ? frame.subarray(0, byteLimit - bytes) : frame.subarray(0, 0)
      if (before.byteLength > 0) yield before
      if (fault.kind === 'cut') return
      if (fault.kind === 'reset') throw new Broken('reset')
      if (fault.kind === 'stall') await pause(fault.ms ?? FOR_EVER_MS, signal)
      if (signal.aborted) return
      if (fault.kind === 'garbage') yield toBytes(fault.text ?? '[[ not json\n')
      yield fault.kind === 'wrong-length' ? toBytes(withWrongLength(frame)) : frame.subarray(before.byteLength)
    } else yield frame
    bytes += frame.byteLength
    count++
  }
  // A limit behind the end still strikes there.
  if (!struck && fault.kind === 'reset') throw new Broken('reset')
}

/** The longest time that timers take. */
export const FOR_EVER_MS = 2_147_483_647

function withWrongLength(frame: Uint8Array): string {
  return new TextDecoder().decode(frame).replace(/\d+(?=\n)/, (digits) => String(Number(digits) + 3))
}
