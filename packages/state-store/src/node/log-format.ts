import { crc32 } from 'node:zlib'
import { StateError } from '../error.ts'
import type { Change } from '../table.ts'

/** First line of every log. */
const HEADER = { castorState: 1 }

/** One line: the CRC-32 of the JSON in eight hex digits, a space, the JSON. JSON holds no line break. */
function toLine(value: unknown): string {
  const json = JSON.stringify(value)
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`
}

export function encodeChange(change: Change): string {
  return toLine(change)
}

export function encodeHeader(): string {
  return toLine(HEADER)
}

export interface ReadLog {
  changes: Change[]
  /** Where the last whole line ends. What follows was being written when the process or the machine died. */
  goodBytes: number
  /** Whole lines that cannot be read: the disk or somebody damaged the file. */
  damagedLines: number
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
  for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, goodBytes)) {
    const value = readLine(bytes.subarray(goodBytes, end))
    goodBytes = end + 1
    if (value === undefined) damagedLines++
    else if ('castorState' in value) {
      if (value.castorState !== HEADER.castorState) {
        throw new StateError(
          'unsupported',
          `The state was written by a newer version (format ${String(value.castorState)}); upgrade, or restore a backup`,
        )
      }
      sawHeader = true
    } else changes.push(value as Change)
  }
  // A log is made whole, header first, before it gets its name: without one it is damaged, however it ends.
  if (!sawHeader && bytes.length > 0) damagedLines = Math.max(1, damagedLines)
  return { changes, goodBytes, damagedLines }
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
