import { createFrameEncoder, REPLY_PREFIX } from '@castorjs/gemini-web-protocol'
import type { FrameText } from './snapshots.ts'

/** Frames as the text of a body: with lengths and end marker, or as one array for a request without `rt`. */
export async function* writeFrames(frames: AsyncGenerator<FrameText>, framed: boolean): AsyncGenerator<string> {
  if (!framed) return yield* writeUnframed(frames)
  const encoder = createFrameEncoder()
  for await (const { json, entries, bytes } of frames) yield encoder.pushJson(json, entries, bytes)
  yield encoder.end()
}

async function* writeUnframed(frames: AsyncGenerator<FrameText>): AsyncGenerator<string> {
  let separator = `${REPLY_PREFIX}[`
  for await (const { json } of frames) {
    yield separator + json.slice(1, -1)
    separator = ','
  }
  yield ']'
}
