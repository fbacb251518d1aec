/**
 * A model's name as limits, books and routes know it. Upstreams take it in any case and, in some places, with `models/`
 * before it; it is one model all the same. What travels to the upstream, and back to the caller, stays as it was written.
 */
export function canonicalModel(name: string): string {
  return name.toLowerCase().replace(/^models\//, '')
}
