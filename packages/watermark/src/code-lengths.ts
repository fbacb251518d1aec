/**
 * Code lengths for the given frequencies, none above `limit`: Huffman's, then codes that are too long are shortened at
 * the cost of others until the lengths fit (as miniz does). At least two symbols get a code, because some decoders
 * refuse less. Among equals the rarer symbol never has the shorter code.
 */
export function codeLengths(frequencies: Uint32Array, limit: number): Uint8Array {
  const used = [...frequencies.keys()].filter((symbol) => frequencies[symbol]! > 0)
  for (let symbol = 0; used.length < 2; symbol++) if (!used.includes(symbol)) used.push(symbol)
  used.sort((a, b) => frequencies[a]! - frequencies[b]! || a - b)

  const counts = new Uint32Array(64)
  for (const depth of depths(used.map((symbol) => Math.max(1, frequencies[symbol]!)))) counts[depth]!++
  for (let length = limit + 1; length < counts.length; length++) {
    counts[limit]! += counts[length]!
    counts[length] = 0
  }
  let sum = 0
  for (let length = 1; length <= limit; length++) sum += counts[length]! * 2 ** (limit - length)
  for (; sum > 2 ** limit; sum--) {
    counts[limit]!--
    for (let length = limit - 1; length > 0; length--) {
      if (counts[length] === 0) continue
      counts[length]!--
      counts[length + 1]! += 2
      break
    }
  }
  const lengths = new Uint8Array(frequencies.length)
  let next = 0
  for (let length = limit; length > 0; length--) {
    for (let n = counts[length]!; n > 0; n--) lengths[used[next++]!] = length
  }
  return lengths
}

/** Depths of the leaves of a Huffman tree; weights ascending. Two queues, so linear. */
function depths(weights: readonly number[]): number[] {
  const n = weights.length
  const weight = new Float64Array(2 * n - 1)
  weight.set(weights)
  const parent = new Int32Array(2 * n - 1)
  let leaf = 0
  let inner = n
  for (let node = n; node < 2 * n - 1; node++) {
    let sum = 0
    for (let child = 0; child < 2; child++) {
      const takeLeaf = leaf < n && (inner >= node || weight[leaf]! <= weight[inner]!)
      const chosen = takeLeaf ? leaf++ : inner++
      parent[chosen] = node
      sum += weight[chosen]!
    }
    weight[node] = sum
  }
  const depth = new Int32Array(2 * n - 1)
  for (let node = 2 * n - 3; node >= 0; node--) depth[node] = depth[parent[node]!]! + 1
  return Array.from(depth.subarray(0, n), (value) => Math.min(value, 63))
}
