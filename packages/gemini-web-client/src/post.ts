import { formHeaders, readXsrfToken, type RpcQuery } from '@castorjs/gemini-web-protocol'
import type { TransportResponse } from '@castorjs/http-transport'
import { GeminiWebError } from './error.ts'
import { replyError } from './refusal-error.ts'
import type { Session } from './session.ts'
import { readText } from './wire.ts'

/** A form to post. Both parts are made anew for each attempt, because token and page may have been renewed. */
export interface FormPost {
  url: (query: RpcQuery) => string
  body: (token: string | undefined) => string
  headers?: Record<string, string>
}

export interface PostOptions {
  userAgent: string
  accountIndex?: number
  signal: AbortSignal
}

/** Longest error body that is looked at. */
const ERROR_BYTES = 1_048_576

/**
 * Posts a form and repairs what can be repaired, each thing once: a stale request token from the 400 body, an
 * expired session by rotation. Returns the reply with status 200, its body unread.
 *
 * @throws {GeminiWebError} for every other reply.
 */
export async function postForm(
  session: Session,
  post: FormPost,
  { userAgent, accountIndex, signal }: PostOptions,
): Promise<TransportResponse> {
  const headers = {
    ...formHeaders({ userAgent, ...(accountIndex === undefined ? {} : { accountIndex }) }),
    ...post.headers,
  }
  let tokenRepaired = false
  let sessionRenewed = false
  for (;;) {
    const token = session.token
    const response = await session.wire.send(post.url(session.query()), {
      method: 'POST',
      headers,
      body: post.body(token),
      signal,
    })
    if (response.status === 200 && response.header('content-type')?.startsWith('text/html') !== true) return response
    const location = response.header('location')
    const body = await readText(response, ERROR_BYTES, signal)
    const fresh = response.status === 400 ? readXsrfToken(body) : undefined
    if (fresh !== undefined) {
      if (tokenRepaired || fresh === token) {
        throw new GeminiWebError('signed_out', 'The web app refuses the request token that it gave out itself', {
          status: 400,
        })
      }
      tokenRepaired = true
      session.takeToken(fresh)
      continue
    }
    const error = replyError({ status: response.status, body, ...(location === undefined ? {} : { location }) })
    if (error.code !== 'signed_out' || !session.account || sessionRenewed) throw error
    sessionRenewed = true
    await session.renew()
  }
}
