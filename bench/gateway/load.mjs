import { Pool } from 'undici'

/** The value below which `share` of the sorted numbers lie. */
export function percentile(values, share) {
  const sorted = [...values].sort((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** A client of one server, many connections, no waiting of its own. */
export function createClient(url, connections = 600) {
  const pool = new Pool(url, { connections, headersTimeout: 0, bodyTimeout: 0 })
  return {
    /** One call; resolves with its times in milliseconds and the number of body pieces. */
    async call(body, { path = '/v1/chat/completions', headers = {} } = {}) {
      const start = performance.now()
      const response = await pool.request({
        path,
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
      })
      let first
      let pieces = 0
      let bytes = 0
      for await (const piece of response.body) {
        first ??= performance.now() - start
        pieces++
        bytes += piece.length
      }
      if (response.statusCode !== 200) throw new Error(`status ${response.statusCode} from ${url}`)
      return { first, total: performance.now() - start, pieces, bytes }
    },
    close: () => pool.destroy(),
  }
}

/** `calls` calls, `concurrency` at a time. */
export async function runCalls(client, body, { calls, concurrency, ...options }) {
  const results = []
  let left = calls
  const start = performance.now()
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (left-- > 0) results.push(await client.call(body, options))
    }),
  )
  const seconds = (performance.now() - start) / 1000
  return { results, perSecond: calls / seconds }
}
