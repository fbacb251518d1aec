/**
 * The plain way, for comparison: decode every byte, cut frames by their lengths, JSON-parse every
 * snapshot whole, compare its text with the one before. No rescans: an open frame waits in pieces.
 */
export function createPlainDecoder() {
  const utf8 = new TextDecoder()
  let pieces = []
  let held = 0
  let missing = 0
  let started = false
  let text = ''

  function readFrame(json) {
    const deltas = []
    for (const entry of JSON.parse(json)) {
      if (entry[0] !== 'wrb.fr' || typeof entry[2] !== 'string') continue
      const next = JSON.parse(entry[2])[4]?.[0]?.[1]?.[0]
      if (typeof next !== 'string' || next === text) continue
      if (!next.startsWith(text)) throw new Error('the bench has no rewrites')
      deltas.push(next.slice(text.length))
      text = next
    }
    return deltas
  }

  return {
    push(bytes) {
      const piece = utf8.decode(bytes, { stream: true })
      pieces.push(piece)
      held += piece.length
      if (held < missing) return []
      let buffered = pieces.length === 1 ? pieces[0] : pieces.join('')
      const deltas = []
      let position = 0
      missing = 0
      if (!started && buffered.length >= 6) {
        started = true
        position = 6
      }
      while (started) {
        const lineFeed = buffered.indexOf('\n', position)
        if (lineFeed < 0) break
        const end = lineFeed + Number(buffered.slice(position, lineFeed))
        if (end > buffered.length) {
          missing = end - position
          break
        }
        deltas.push(...readFrame(buffered.slice(lineFeed + 1, end - 1)))
        position = end
      }
      buffered = buffered.slice(position)
      pieces = [buffered]
      held = buffered.length
      return deltas
    },
  }
}
