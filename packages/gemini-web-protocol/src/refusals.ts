/**
 * What the codes inside entries mean, who is at fault and what to do: fact sheet §5.1, §5.2 as a table.
 * A code is fatal only if no completed answer arrived in the same body [S].
 */

/** Who has to act: our caller, the owner of the account, the owner of the address, the choice of model, or nobody but Google. */
export type Fault = 'caller' | 'account' | 'egress' | 'model' | 'upstream'

export type RefusalKind =
  /** A file, chat or image is not usable any more. */
  | 'reference'
  /** Fails now, may work in seconds. */
  | 'transient'
  /** The account is spent for now. */
  | 'quota'
  /** The chat cannot be continued like this. */
  | 'conversation'
  /** The model header or the choice of model. */
  | 'model'
  /** A video is still being made, or a limit. */
  | 'busy'
  /** The network address is refused. */
  | 'blocked'
  /** The network address is too fast. */
  | 'throttled'
  /** The session is not trusted. */
  | 'auth'
  /** The answer stopped early. */
  | 'cut'
  /** The request itself is wrong. */
  | 'request'
  | 'unknown'

/** Whether the same request may be sent again, when nothing was put out yet. */
export type RetryHint = 'no' | 'once' | 'backoff' | 'new-chat' | 'after-repair'

export interface Refusal {
  /** Detail code, or the bare status when there was no detail. */
  code: number
  /** True when only a status came. */
  bare: boolean
  kind: RefusalKind
  fault: Fault
  meaning: string
  retry: RetryHint
  /** Pause before a retry, in milliseconds, where one is known. */
  retryAfterMs?: number
  /** One sentence for the person who can do something. */
  advice: string
}

type RefusalRow = Omit<Refusal, 'code' | 'bare'>

/** Detail codes at `[5][2][0][1][0]`. Source: fact sheet §5.1; the mark is its confidence. */
export const REFUSALS: Readonly<Record<number, RefusalRow>> = {
  /** [M 2026-09] */
  1003: {
    kind: 'reference',
    fault: 'caller',
    meaning: 'a file, chat or picture that the request refers to is not usable',
    retry: 'no',
    advice: 'Upload the file again or start a new chat.',
  },
  /** [S] */
  1013: {
    kind: 'transient',
    fault: 'upstream',
    meaning: 'transient failure',
    retry: 'backoff',
    retryAfterMs: 1_000,
    advice: 'Try again after 1, 2 and 4 seconds.',
  },
  /** [S] */
  1037: {
    kind: 'quota',
    fault: 'account',
    meaning: 'usage limit of this model reached',
    retry: 'no',
    advice: 'Use another model or another account until the window of about five hours is over.',
  },
  /** [S] */
  1050: {
    kind: 'conversation',
    fault: 'caller',
    meaning: 'the model differs from the one the chat was started with',
    retry: 'new-chat',
    advice: 'Go on with the original model or start a new chat.',
  },
  /** [S] */
  1052: {
    kind: 'model',
    fault: 'model',
    meaning: 'the model header was not accepted',
    retry: 'after-repair',
    advice: 'Refresh the list of models and update the model overrides in the configuration.',
  },
  /** [W 2026-05] */
  1053: {
    kind: 'busy',
    fault: 'account',
    meaning: 'a video is being made, or a limit was reached',
    retry: 'no',
    retryAfterMs: 10_000,
    advice: 'With a video go on asking for it; otherwise treat the account as spent for now.',
  },
  /** [S] */
  1060: {
    kind: 'blocked',
    fault: 'egress',
    meaning: 'the network address or its country is refused',
    retry: 'no',
    advice: 'Send this account through an address in a supported country.',
  },
  /** [W 2026-09] */
  1095: {
    kind: 'throttled',
    fault: 'egress',
    meaning: 'the network address is throttled',
    retry: 'backoff',
    retryAfterMs: 120_000,
    advice: 'Let this address rest for some minutes.',
  },
  /** Ignore it behind a completed answer. [M 2026-09] */
  1096: {
    kind: 'conversation',
    fault: 'upstream',
    meaning: 'the turn was not stored; without an answer it was rejected',
    retry: 'new-chat',
    advice: 'Repeat once in a new chat.',
  },
  /** [M] */
  1097: {
    kind: 'conversation',
    fault: 'caller',
    meaning: 'the follow-up was refused',
    retry: 'new-chat',
    advice: 'Start a new chat and recap what was said.',
  },
  /** [W] */
  1099: {
    kind: 'auth',
    fault: 'account',
    meaning: 'transient authentication failure',
    retry: 'after-repair',
    advice: 'Refresh the request token and repeat once.',
  },
  /** [M 2026-09] */
  1100: {
    kind: 'auth',
    fault: 'caller',
    meaning: 'files need a signed-in account',
    retry: 'no',
    advice: 'Add an account, or send the request without files.',
  },
  /** [M 2026-09] */
  1155: {
    kind: 'cut',
    fault: 'upstream',
    meaning: 'the answer was cut off or is empty',
    retry: 'once',
    advice: 'Without text repeat once; with text ask the model to continue.',
  },
  /** [W] */
  1185: {
    kind: 'quota',
    fault: 'account',
    meaning: 'too many pictures in a short time',
    retry: 'backoff',
    retryAfterMs: 90_000,
    advice: 'Wait one to two minutes before the next picture.',
  },
}

/** Bare statuses without detail code, numbered as RPC statuses usually are. Source: fact sheet §5.1 [I]. */
export const BARE_STATUSES: Readonly<Record<number, RefusalRow>> = {
  2: {
    kind: 'transient',
    fault: 'upstream',
    meaning: 'unknown failure',
    retry: 'once',
    retryAfterMs: 1_000,
    advice: 'Try again.',
  },
  3: {
    kind: 'request',
    fault: 'caller',
    meaning: 'invalid argument',
    retry: 'no',
    advice: 'Check the request; if it used to work the protocol has moved.',
  },
  4: {
    kind: 'transient',
    fault: 'upstream',
    meaning: 'the upstream ran out of time',
    retry: 'once',
    retryAfterMs: 1_000,
    advice: 'Try again, with a shorter prompt if it repeats.',
  },
  5: {
    kind: 'reference',
    fault: 'caller',
    meaning: 'not found',
    retry: 'no',
    advice: 'Check the id; the chat, gem or file may have been deleted.',
  },
  7: {
    kind: 'auth',
    fault: 'account',
    meaning: 'permission denied',
    retry: 'after-repair',
    advice: 'Renew the session; if it repeats the cookies are dead.',
  },
  8: {
    kind: 'quota',
    fault: 'account',
    meaning: 'resource exhausted',
    retry: 'no',
    advice: 'Let the account rest or use another one.',
  },
  9: {
    kind: 'request',
    fault: 'caller',
    meaning: 'failed precondition',
    retry: 'no',
    advice: 'Start a new chat; if it repeats the protocol has moved.',
  },
  13: {
    kind: 'transient',
    fault: 'upstream',
    meaning: 'internal failure',
    retry: 'once',
    retryAfterMs: 1_000,
    advice: 'Try again.',
  },
  16: {
    kind: 'auth',
    fault: 'account',
    meaning: 'not authenticated',
    retry: 'after-repair',
    advice: 'Renew the session; if it repeats sign in again and export new cookies.',
  },
}

/** Looks a refusal up. Codes that nobody has described are `unknown` and may be tried once more. */
export function describeRefusal({ status, code }: { status: number; code?: number }): Refusal {
  const row = code === undefined ? undefined : REFUSALS[code]
  if (code !== undefined && row !== undefined) return { code, bare: false, ...row }
  const bare = BARE_STATUSES[status]
  if (bare !== undefined) return { code: code ?? status, bare: code === undefined, ...bare }
  return {
    code: code ?? status,
    bare: code === undefined,
    kind: 'unknown',
    fault: 'upstream',
    meaning: 'a code that is not documented',
    retry: 'once',
    advice: 'Report the code; nothing is known about it yet.',
  }
}

/** Framework codes inside `er` entries. Source: fact sheet §5.2 [S]. */
export const ERROR_CODES = { malformed: 3, wrongMethod: 9, unauthenticated: 16 } as const
