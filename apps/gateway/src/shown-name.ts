/** A name that a caller gave, as an error may repeat it: what does not look like one may be a secret in the wrong place. */
export function shownName(name: string): string {
  return /^\w{1,40}$/.test(name) ? name : '…'
}
