/** One request of the load. */
export interface Asking {
  /** What the answer must be, word for word. No two requests share one. */
  word: string
  stream: boolean
  /** Rather an error than another model. */
  strict?: boolean
  key?: string | undefined
  signal: AbortSignal
}

/** What one request of the load came to. */
export interface Ending {
  word: string
  stream: boolean
  strict: boolean
  /** Unix time in milliseconds. */
  askedAt: number
  endedAt: number
  kind: 'answer' | 'error' | 'cut' | 'lost'
  status: number
  code: string | undefined
  message: string | undefined
  /** The limit of the caller's key refused it. */
  overLimit: boolean
  /** It was said that another model answered. */
  toldSubstitute: boolean
  /** What is wrong with it; nothing for an answer that is whole or an honest error. */
  complaint: string | undefined
}

type Verdict = Pick<Ending, 'kind' | 'code' | 'complaint'> & { message?: string | undefined }

/** Sends one chat with a word of its own and judges what comes back. */
export async function askOnce(url: string, { word, stream, strict = false, key, signal }: Asking): Promise<Ending> {
  const askedAt = Date.now()
  let status = 0
  let warned = ''
  const end = ({ kind, code, complaint, message }: Verdict): Ending => ({
    word,
    stream,
    strict,
    askedAt,
    endedAt: Date.now(),
    kind,
    status,
    code,
    message,
    overLimit: status === 429 && /^The limit of \d+ requests an hour is used up/.test(message ?? ''),
    toldSubstitute: /\bmodel: The web app answered with /.test(warned),
    complaint,
  })
  try {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
      body: JSON.stringify({
        model: 'gemini-2.5-flash',
        stream,
        strict_model: strict,
        messages: [{ role: 'user', content: `Repeat exactly: ${word}` }],
      }),
      signal,
    })
    status = response.status
    warned = response.headers.get('x-castor-warnings') ?? ''
    const text = await response.text()
    const streamed = stream && status === 200
    if (streamed) warned += (text.match(/^: castor-warning .*$/gm) ?? []).join('\n')
    return end(streamed ? judgeStream(text, word) : judgeBody(response, text, word))
  } catch (error) {
    return end({ kind: 'lost', code: error instanceof Error ? error.name : 'unknown', complaint: undefined })
  }
}

interface Body {
  choices?: { message?: { content?: string }; delta?: { content?: string } }[]
  error?: { code?: string; message?: string }
}

/** Refusals of ours that end by themselves say when. */
const ENDS_BY_ITSELF = /^No account can serve now|^The limit of /

function judgeBody({ status, headers }: Response, text: string, word: string): Verdict {
  const body = JSON.parse(text) as Body
  if (status === 200) {
    const said = body.choices?.[0]?.message?.content
    const complaint = said === word ? undefined : `said ${JSON.stringify(said)} in place of ${word}`
    return { kind: 'answer', code: undefined, complaint }
  }
  const { code, message } = body.error ?? {}
  const honest = code !== undefined && message !== undefined && status >= 400 && status !== 500
  const waitMissing = ENDS_BY_ITSELF.test(message ?? '') && !headers.has('retry-after')
  const complaint = honest && !waitMissing ? undefined : `status ${status}, reason and wait incomplete: ${message}`
  return { kind: 'error', code, message, complaint }
}

function judgeStream(text: string, word: string): Verdict {
  let said = ''
  let error: Body['error']
  for (const line of text.split('\n')) {
    if (!line.startsWith('data: {')) continue
    const body = JSON.parse(line.slice(6)) as Body
    said += body.choices?.[0]?.delta?.content ?? ''
    error ??= body.error
  }
  const done = text.includes('data: [DONE]')
  if (error !== undefined) {
    const complaint = done
      ? 'an error and [DONE]'
      : word.startsWith(said)
        ? undefined
        : `said ${said} in place of ${word}`
    return { kind: 'cut', code: error.code, complaint }
  }
  const complaint = done && said === word ? undefined : `said ${said} in place of ${word}, done: ${done}`
  return { kind: 'answer', code: undefined, complaint }
}

/** How many ended in which way. */
export function tally(endings: readonly Ending[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { kind, code } of endings) {
    const name = code === undefined ? kind : `${kind} ${code}`
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}
