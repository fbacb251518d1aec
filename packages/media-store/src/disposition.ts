/** Types that a browser shows without running anything. */
const INLINE = /^(image\/(?!svg)|audio\/|video\/|application\/pdf$|text\/plain$)/

/** `content-disposition` for an item: shown where that is harmless, otherwise saved; with its name for people. */
export function contentDisposition(mimeType: string, name: string | undefined): string {
  const kind = INLINE.test(mimeType) ? 'inline' : 'attachment'
  if (name === undefined) return kind
  const safe = encodeURIComponent(toWellFormed(name)).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `${kind}; filename*=UTF-8''${safe}`
}

/** Half a surrogate pair would make `encodeURIComponent` throw. */
function toWellFormed(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text))
}
