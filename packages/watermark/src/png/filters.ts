import { WatermarkError } from '../error.ts'

const FILTER_NONE = 0
const FILTER_SUB = 1
const FILTER_UP = 2
const FILTER_AVERAGE = 3
const FILTER_PAETH = 4

function paeth(left: number, up: number, upLeft: number): number {
  const toLeft = Math.abs(up - upLeft)
  const toUp = Math.abs(left - upLeft)
  const toUpLeft = Math.abs(left + up - 2 * upLeft)
  return toLeft <= toUp && toLeft <= toUpLeft ? left : toUp <= toUpLeft ? up : upLeft
}

/**
 * Takes a row's filter off.
 *
 * @param source The filtered rows; the row's filter byte is at `from`.
 * @param above The raw row above, or zeros.
 * @param row Receives the raw row.
 * @throws {WatermarkError} `corrupt` for a filter that does not exist.
 */
function unfilterRow(source: Uint8Array, from: number, above: Uint8Array, row: Uint8Array, pixelBytes: number): void {
  const filter = source[from]!
  const length = row.length
  let at = from + 1
  if (filter === FILTER_NONE) {
    row.set(source.subarray(at, at + length))
  } else if (filter === FILTER_SUB) {
    for (let i = 0; i < pixelBytes; i++) row[i] = source[at++]!
    for (let i = pixelBytes; i < length; i++) row[i] = source[at++]! + row[i - pixelBytes]!
  } else if (filter === FILTER_UP) {
    for (let i = 0; i < length; i++) row[i] = source[at++]! + above[i]!
  } else if (filter === FILTER_AVERAGE) {
    for (let i = 0; i < pixelBytes; i++) row[i] = source[at++]! + (above[i]! >> 1)
    for (let i = pixelBytes; i < length; i++) row[i] = source[at++]! + ((row[i - pixelBytes]! + above[i]!) >> 1)
  } else if (filter === FILTER_PAETH) {
    for (let i = 0; i < pixelBytes; i++) row[i] = source[at++]! + above[i]!
    for (let i = pixelBytes; i < length; i++) {
      row[i] = source[at++]! + paeth(row[i - pixelBytes]!, above[i]!, above[i - pixelBytes]!)
    }
  } else {
    throw new WatermarkError('corrupt', `A row of the PNG file has the unknown filter ${filter}`)
  }
}

/** Filters raw bytes `first`…`last` of a row with the filter whose number is at `to`, writing behind it. */
export function filterRow(
  target: Uint8Array,
  to: number,
  above: Uint8Array,
  row: Uint8Array,
  pixelBytes: number,
  first: number,
  last: number,
): void {
  const filter = target[to]!
  for (let i = first; i < last; i++) {
    const left = i >= pixelBytes ? row[i - pixelBytes]! : 0
    let guess = 0
    if (filter === FILTER_SUB) guess = left
    else if (filter === FILTER_UP) guess = above[i]!
    else if (filter === FILTER_AVERAGE) guess = (left + above[i]!) >> 1
    else if (filter === FILTER_PAETH) guess = paeth(left, above[i]!, i >= pixelBytes ? above[i - pixelBytes]! : 0)
    target[to + 1 + i] = row[i]! - guess
  }
}

/** The raw rows `first`…`last−1` of a picture whose rows are still filtered. */
export function unfilterRows(
  filtered: Uint8Array,
  rowBytes: number,
  pixelBytes: number,
  first: number,
  last: number,
): Uint8Array[] {
  const stride = rowBytes + 1
  // Rows filtered by their own left neighbours do not need the row above: begin at the nearest of those.
  let begin = first
  while (begin > 0 && filtered[begin * stride]! > FILTER_SUB) begin--
  const rows: Uint8Array[] = []
  let above: Uint8Array = new Uint8Array(rowBytes)
  let spare: Uint8Array = new Uint8Array(rowBytes)
  for (let y = begin; y < last; y++) {
    const row = y < first ? spare : new Uint8Array(rowBytes)
    unfilterRow(filtered, y * stride, above, row, pixelBytes)
    if (y >= first) rows.push(row)
    spare = above
    above = row
  }
  return rows
}
