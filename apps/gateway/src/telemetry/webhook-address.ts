/** Where events go, and as whom. */
export interface WebhookAddress {
  /** Without user and password, which `fetch` refuses in a URL. */
  url: string
  /** Value of the `Authorization` header. Secret. */
  authorization: string | undefined
}

/** Reads an address of a webhook; undefined when it is none that can be posted to. It may hold secrets, so nothing quotes it. */
export function readWebhookAddress(text: string): WebhookAddress | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined
  const { username, password } = url
  url.username = ''
  url.password = ''
  const user = `${decode(username)}:${decode(password)}`
  return {
    url: url.href,
    authorization: user === ':' ? undefined : `Basic ${Buffer.from(user).toString('base64')}`,
  }
}

/** A `%` that begins no code stands for itself, and so does what is of another alphabet. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replace(/%(?![0-9a-f]{2})/gi, '%25'))
  } catch {
    return text
  }
}
