/** The client's own name for its conversation, in the headers agents use. Source: `PEERS.md` section 5. */
export function readSessionId(request: Request): string | undefined {
  for (const name of ['x-session-id', 'session-id', 'x-session-affinity', 'x-conversation-id', 'thread-id']) {
    const value = request.headers.get(name)?.trim()
    if (value !== undefined && value !== '' && value.length <= 256) return value
  }
  return undefined
}
