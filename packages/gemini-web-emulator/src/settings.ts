/** Everything a test can turn while the emulator runs. Plain data: the control API takes the same fields as JSON. */
export interface EmulatorSettings {
  /** Waiting time per phase, in milliseconds. All 0 by default. */
  latency: {
    page: number
    rotate: number
    rpc: number
    upload: number
    download: number
    /** Before the status line of StreamGenerate. */
    firstByte: number
    /** Between the acknowledgement and the first snapshot. */
    ack: number
    /** Between two thought snapshots. */
    thought: number
    /** Between two text snapshots. */
    snapshot: number
    /** Before the closing frames. */
    trailer: number
  }
  /** How the body is cut: after each frame, all at once, or after so many bytes. Default `frame`. */
  chunkBytes: number | 'frame' | 'whole'
  /** Code points added per snapshot; `auto` makes at least three snapshots and never more than `maxSnapshots`. */
  snapshotChars: number | 'auto'
  maxSnapshots: number
  /** Layout of the small messages and of the rich fields. Default `sparse`; clients that only count positions need `dense`. */
  layout: 'dense' | 'sparse'
  /** Id or slot of the model that answers whatever is asked for; null follows the request. */
  servedModel: string | null
  /** Life of a ticket (`__Secure-1PSIDTS`), in milliseconds. Default 1 200 000. */
  ticketLifeMs: number
  /** Life of a request token (`at`), in milliseconds. Default 3 600 000. */
  tokenLifeMs: number
  /** Life of an uploaded file, in milliseconds. Default 86 400 000. */
  uploadLifeMs: number
  /** False leaves `SNlM0e` out of the page although the session is fine. */
  tokenOnPage: boolean
  /** What the app page answers to an unknown session: the guest view, or a redirect to sign-in. */
  deadSession: 'guest' | 'sign-in'
  /** Network addresses that meet the interstitial; `*` is everyone. */
  sorry: string[]
  /** The interstitial as a redirect to www.google.com/sorry, or directly with 429. */
  sorryStyle: 'redirect' | 'direct'
  /** Redirects the app page to consent.google.com. */
  consent: boolean
  /** Sessions are bound to a device: rotation always answers 401. */
  deviceBound: boolean
  /** False: RotateCookies finds the ticket still good and only renews the counters. */
  newTicketOnRotate: boolean
  /** End of a guest's answer: trailer at once, trailer after `guestTailMs`, or never. */
  guestTail: 'closed' | 'late' | 'open'
  guestTailMs: number
  /** Extra bytes of response headers on the app page (a real page passes 16 KB). Default 0. */
  pageHeaderBytes: number
  /** Size of the app page in bytes. Default 320 000. */
  pageBytes: number
  /** How long media takes, in milliseconds of the emulator's clock. */
  durations: {
    /** Pause inside the stream before a picture arrives. */
    image: number
    /** Pause inside the stream before a track arrives. */
    music: number
    /** From the request until the chat lists the clip; its link answers 206 until `videoReady`. */
    videoListed: number
    videoReady: number
    research: number
  }
  /** Serves videos inside a protobuf envelope instead of as video/mp4. */
  videoEnvelope: boolean
  /** When the context token is sent: after the answer, right after the acknowledgement (the turn is stored then), or never. */
  contextToken: 'last' | 'first' | 'none'
  /** With `contextToken: 'first'`: how long history shows the turn as unfinished, in milliseconds. */
  unfinishedMs: number
  /** False leaves out the acknowledgement: streams of 2023 began with the answer. */
  acknowledgement: boolean
  /** Adds a job id to the plan of a research request, which one client family looks for. */
  planJobId: boolean
  /** Hosts of the URLs inside replies: the real ones, or the emulator's own address with the host as first path segment. */
  links: 'google' | 'loopback'
  /** What a download without good cookies gets. */
  downloadRefusal: 'forbidden' | 'sign-in'
  checks: {
    /** A missing User-Agent: noted in the request log, refused with 400, or ignored. */
    userAgent: 'warn' | 'refuse' | 'off'
    /** RotateCookies refuses more than the two session cookies with 401. */
    rotateCookies: boolean
    /** Minimum distance of two rotations of a session, in milliseconds. Default 60 000. */
    rotateDistanceMs: number
    /** Uploads need the page's Push-ID and the tenant. */
    pushId: boolean
    /** Downloads need the owner's cookies and no host-only ones. */
    downloadCookies: boolean
    /** A signed-in POST needs a valid `at`. */
    token: boolean
  }
  limits: {
    /** Bytes of a prompt that the model sees; the rest is cut silently. Default 130 000. */
    promptBytes: number
    /** Bytes of attached text that the model can read in one prompt. Default 160 000. */
    attachmentBytes: number
    /** Characters after which an answer breaks off with 1155; 0 is no limit. */
    answerChars: number
    /** Chats kept per account; the oldest go first. Default 2 000. */
    chats: number
  }
  log: {
    /** Requests kept. Default 1 000. */
    size: number
    /** Keeps cookies, tokens and Authorization in the log. Default false. */
    secrets: boolean
  }
}

/** A part of the settings, nested parts included. */
export type SettingsPatch = {
  [Key in keyof EmulatorSettings]?: EmulatorSettings[Key] extends unknown[]
    ? EmulatorSettings[Key]
    : EmulatorSettings[Key] extends object
      ? Partial<EmulatorSettings[Key]>
      : EmulatorSettings[Key]
}

export function defaultSettings(): EmulatorSettings {
  return {
    latency: {
      page: 0,
      rotate: 0,
      rpc: 0,
      upload: 0,
      download: 0,
      firstByte: 0,
      ack: 0,
      thought: 0,
      snapshot: 0,
      trailer: 0,
    },
    chunkBytes: 'frame',
    snapshotChars: 'auto',
    maxSnapshots: 400,
    layout: 'sparse',
    servedModel: null,
    ticketLifeMs: 1_200_000,
    tokenLifeMs: 3_600_000,
    uploadLifeMs: 86_400_000,
    tokenOnPage: true,
    deadSession: 'guest',
    sorry: [],
    sorryStyle: 'redirect',
    consent: false,
    deviceBound: false,
    newTicketOnRotate: true,
    guestTail: 'closed',
    guestTailMs: 60_000,
    pageHeaderBytes: 0,
    pageBytes: 320_000,
    durations: { image: 0, music: 0, videoListed: 200, videoReady: 400, research: 400 },
    videoEnvelope: false,
    contextToken: 'last',
    unfinishedMs: 0,
    acknowledgement: true,
    planJobId: false,
    links: 'google',
    downloadRefusal: 'forbidden',
    checks: {
      userAgent: 'warn',
      rotateCookies: false,
      rotateDistanceMs: 60_000,
      pushId: true,
      downloadCookies: true,
      token: true,
    },
    limits: { promptBytes: 130_000, attachmentBytes: 160_000, answerChars: 0, chats: 2_000 },
    log: { size: 1_000, secrets: false },
  }
}

/** A control request that makes no sense; the message names the field. */
export class ControlError extends Error {
  override readonly name = 'ControlError'
  readonly field: string

  constructor(field: string, message: string) {
    super(message)
    this.field = field
  }
}

const CHOICES: Readonly<Record<string, readonly unknown[]>> = {
  layout: ['dense', 'sparse'],
  deadSession: ['guest', 'sign-in'],
  sorryStyle: ['redirect', 'direct'],
  guestTail: ['closed', 'late', 'open'],
  contextToken: ['last', 'first', 'none'],
  links: ['google', 'loopback'],
  downloadRefusal: ['forbidden', 'sign-in'],
  'checks.userAgent': ['warn', 'refuse', 'off'],
}
const WORDS: Readonly<Record<string, readonly string[]>> = { chunkBytes: ['frame', 'whole'], snapshotChars: ['auto'] }

/**
 * Writes a patch into `settings`, all of it or nothing.
 *
 * @throws {ControlError} for an unknown field or a value of the wrong type, naming the field.
 */
export function applySettings(settings: EmulatorSettings, patch: unknown): void {
  const copy = structuredClone(settings)
  merge(copy as unknown as Record<string, unknown>, patch, '')
  Object.assign(settings, copy)
}

function merge(target: Record<string, unknown>, patch: unknown, prefix: string): void {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) {
    throw new ControlError(prefix.slice(0, -1) || 'settings', `${prefix.slice(0, -1) || 'settings'} must be an object`)
  }
  for (const [key, value] of Object.entries(patch)) {
    const field = prefix + key
    if (!Object.hasOwn(target, key)) {
      throw new ControlError(field, `There is no setting ${field}. Known here: ${Object.keys(target).join(', ')}`)
    }
    const current = target[key]
    if (typeof current === 'object' && current !== null && !Array.isArray(current)) {
      merge(current as Record<string, unknown>, value, `${field}.`)
      continue
    }
    const wanted = expectation(field, current)
    if (!wanted.fits(value)) throw new ControlError(field, `${field} must be ${wanted.words}`)
    target[key] = value
  }
}

function expectation(field: string, current: unknown): { words: string; fits(value: unknown): boolean } {
  const choices = CHOICES[field]
  if (choices !== undefined) return { words: `one of ${choices.join(', ')}`, fits: (value) => choices.includes(value) }
  const amount = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= 0
  const words = WORDS[field]
  if (words !== undefined) {
    return {
      words: `a number from 1 or one of ${words.join(', ')}`,
      fits: (value) => words.includes(value as string) || (amount(value) && (value as number) >= 1),
    }
  }
  if (field === 'servedModel')
    return { words: 'a model id or slot, or null', fits: (value) => value === null || typeof value === 'string' }
  if (Array.isArray(current)) {
    return {
      words: 'a list of texts',
      fits: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
    }
  }
  if (typeof current === 'number') return { words: 'a number from 0', fits: amount }
  return { words: `a ${typeof current}`, fits: (value) => typeof value === typeof current }
}
