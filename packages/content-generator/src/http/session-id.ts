/** Headers in which agents name their conversation. Source: `PEERS.md` section 5. */
const HEADERS = [
  'x-session-id',
  'session-id',
  'x-claude-code-session-id',
  'x-session-affinity',
  'x-conversation-id',
  'thread-id',
]
const LONGEST = 256

/** The client's own name for its conversation, if it sends one. */
export function readSessionId(request: Request): string | undefined {
  for (const name of HEADERS) {
    const value = request.headers.get(name)?.trim()
    if (value !== undefined && value !== '' && value.length <= LONGEST) return value
  }
  return undefined
}
