import type { WebhookAddress } from './webhook-address.ts'

/** What came of one try: undefined when it was heard, else why not, and whether another try at once may help. */
export type PostFailure = { reason: string; passes: boolean } | undefined

const TIMEOUT_MS = 10_000

/** Posts once. Says why it failed without the address, which may hold a token. */
export async function postEvent({ url, authorization }: WebhookAddress, body: string): Promise<PostFailure> {
  let status: number
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'castor',
        ...(authorization === undefined ? {} : { authorization }),
      },
      body,
      // What leads elsewhere is told to the operator: events do not go where nobody sent them.
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    status = response.status
    await response.body?.cancel()
  } catch {
    return { reason: 'it could not be reached', passes: true }
  }
  if (status >= 200 && status < 300) return undefined
  if (status >= 300 && status < 400) {
    const reason = `it answered ${status}, which leads elsewhere and is not followed; set WEBHOOK_URL to where it leads`
    return { reason, passes: false }
  }
  return { reason: `it answered ${status}`, passes: status >= 500 || status === 429 }
}
