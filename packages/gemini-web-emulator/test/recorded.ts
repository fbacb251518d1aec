import { existsSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Folder with the recorded replies and the independent checker; absent outside the workshop. */
export const PROTOCOL_FOLDER = fileURLToPath(new URL('../../../../shared/protocol', import.meta.url))

/** Why tests against recordings are left out, or undefined when they can run. */
export const MISSING_RECORDINGS = existsSync(PROTOCOL_FOLDER) ? undefined : `no recorded replies at ${PROTOCOL_FOLDER}`

export interface CheckedBody {
  problems: string[]
  complete: boolean
}

/** The independent checker of frames. */
export async function loadChecker(): Promise<(body: string) => CheckedBody> {
  const module = (await import(pathToFileURL(`${PROTOCOL_FOLDER}/check-frames.mjs`).href)) as {
    checkBody(body: string): CheckedBody
  }
  return (body) => module.checkBody(body)
}

/** Parsed messages of a stream, without using our own decoder. */
export function messagesOf(body: string): unknown[] {
  return body
    .split('\n')
    .filter((line) => line.startsWith('[['))
    .flatMap((line) => JSON.parse(line) as unknown[][])
    .filter((entry) => entry[0] === 'wrb.fr' && entry[1] === null && typeof entry[2] === 'string')
    .map((entry) => JSON.parse(entry[2] as string) as unknown)
}

/** Every place that holds something, with the type of what is there: `4.0.1.0:string`. Object keys are written as indices. */
export function positionsOf(node: unknown, path: readonly number[] = []): string[] {
  if (node === null || node === undefined) return []
  if (Array.isArray(node)) {
    const own = node.length === 0 ? [`${path.join('.')}:empty`] : []
    return own.concat(
      node.flatMap((item, index) =>
        index === node.length - 1 && isTail(item) ? positionsOf(item, path) : positionsOf(item, [...path, index]),
      ),
    )
  }
  if (typeof node === 'object')
    return Object.entries(node).flatMap(([key, item]) => positionsOf(item, [...path, Number(key) - 1]))
  return [`${path.join('.')}:${typeof node}`]
}

function isTail(item: unknown): boolean {
  return typeof item === 'object' && item !== null && !Array.isArray(item)
}
