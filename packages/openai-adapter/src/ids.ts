/** An id that nobody can guess: the prefix and `length` hex digits, at most 32. */
export function createId(prefix: string, length = 24): string {
  return prefix + crypto.randomUUID().replaceAll('-', '').slice(0, length)
}

/** Now, as OpenAI counts: whole seconds. */
export function unixSeconds(now: number = Date.now()): number {
  return Math.floor(now / 1000)
}
