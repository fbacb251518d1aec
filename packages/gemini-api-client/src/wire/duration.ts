const UNITS: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1, us: 0.001, µs: 0.001, ns: 0.000_001 }
const PIECE = /(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)/gy

/**
 * Reads a duration as Go writes it: `12s`, `1.5s`, `500ms`, `161h39m41.300432511s`.
 *
 * @returns Milliseconds, rounded up; undefined when it is none. Source: `gemini-api.md` section 11, `code-assist.md` 6.
 */
export function readDuration(text: string): number | undefined {
  let total = 0
  let end = 0
  PIECE.lastIndex = 0
  for (let match = PIECE.exec(text); match !== null; match = PIECE.exec(text)) {
    total += Number(match[1]) * (UNITS[match[2] ?? ''] ?? 0)
    end = PIECE.lastIndex
  }
  return end === text.length && end > 0 ? Math.ceil(total) : undefined
}
