import { crc32 } from 'node:zlib'
import { StateError } from '../error.ts'
import type { Change } from '../table.ts'

const FORMAT = 1

/** One line: the CRC-32 of the JSON in eight hex digits, a space, the JSON. JSON holds no line break. */
function toLine(json: string): string {
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`
}

export function encodeChange(change: Change): string {
  return toLine(JSON.stringify(change))
}

/**
 * First line of every log. It is as long whatever it says, so that it can be written over.
 *
 * @param keptBytes How long the log is at least: what comes before that was acknowledged.
 */
export function encodeHeader(keptBytes: number): string {
  return toLine(`{"castorState":${FORMAT},"kept":${String(keptBytes).padStart(15)}}`)
}

export interface ReadLog {
  changes: Change[]
  /** Where the last whole line ends. What follows was being written when the process or the machine died. */
  goodBytes: number
  /** Whole lines that cannot be read: the disk or somebody damaged the file. */
  damagedLines: number
  /** Where it ended at least when it was last written; undefined where it does not say. A log that ends before was cut. */
  keptBytes: number | undefined
}

/**
 * Reads a log as far as it can be trusted, line by line.
 *
 * @throws {StateError} `unsupported` when a newer version of this package wrote it.
 */
export function readLog(bytes: Buffer): ReadLog {
  const changes: Change[] = []
  let goodBytes = 0
  let damagedLines = 0
  let sawHeader = false
  let keptBytes: number | undefined
  for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, goodBytes)) {
    const value = readLine(bytes.subarray(goodBytes, end))
    goodBytes = end + 1
    if (value === undefined) damagedLines++
    else if ('castorState' in value) {
      if (value['castorState'] !== FORMAT) {
        throw new StateError(
          'unsupported',
          `The state was written by a newer version (format ${String(value['castorState'])}); upgrade, or restore a backup`,
        )
      }
      sawHeader = true
      if (typeof value['kept'] === 'number') keptBytes = value['kept']
    } else changes.push(value as Change)
  }
  // A log is made whole, header first, before it gets its name: without one it is damaged, however it ends.
  if (!sawHeader && bytes.length > 0) damagedLines = Math.max(1, damagedLines)
  return { changes, goodBytes, damagedLines, keptBytes }
}

function readLine(line: Buffer): Record<string, unknown> | undefined {
  if (line.length < 11 || line[8] !== 32) return undefined
  const json = line.subarray(9)
  if (crc32(json) !== Number.parseInt(line.toString('latin1', 0, 8), 16)) return undefined
  try {
    const value: unknown = JSON.parse(json.toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
