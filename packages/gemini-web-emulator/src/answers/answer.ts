/** A picture that an answer carries. The bytes are made when somebody downloads them. */
export interface AnswerPicture {
  /** Key of the asset behind it. */
  assetId: string
  name: string
  width: number
  height: number
}

/** A file of a video or music answer. */
export interface AnswerFile {
  assetId: string
  name: string
}

interface AnswerDocument {
  file: string
  title: string
  content: string
  /** Set for code. */
  language?: string
}

interface AnswerPlan {
  title: string
  steps: ReadonlyArray<{ label: string; body?: string }>
  duration: string
  confirm: string
  edit: string
}

interface AnswerReport {
  title: string
  markdown: string
  sources: ReadonlyArray<{ url: string; title: string }>
}

export type AnswerExtra =
  | { kind: 'pictures'; pictures: readonly AnswerPicture[] }
  | { kind: 'web-pictures'; pictures: ReadonlyArray<{ url: string; title: string; alt: string }>; realText: string }
  | {
      kind: 'video'
      jobId: string
      clip: AnswerFile
      thumbnail: AnswerPicture
      width: number
      height: number
      seconds: number
      doneText: string
    }
  | {
      kind: 'music'
      title: string
      genre: string
      moods: readonly string[]
      track: AnswerFile
      clip: AnswerFile
      captions: AnswerFile
      cover: AnswerPicture
    }
  | { kind: 'canvas'; document: AnswerDocument }
  | { kind: 'plan'; plan: AnswerPlan; jobId: string }
  | { kind: 'research'; jobId: string; report: AnswerReport; doneText: string }

/** What the emulated model says to one prompt, before any of it is put on the wire. */
export interface Answer {
  title: string
  text: string
  thoughts?: string
  /** Text snapshots as they are sent; the last one is the text. Made from the text when left out. */
  snapshots?: readonly string[]
  /** Label shown while a tool works. */
  activity?: { label: string; tool?: string }
  extra?: AnswerExtra
}

/** A file attached to a prompt, as the model sees it. */
export interface AttachedFile {
  name: string
  mimeType: string
  bytes: Uint8Array
  /** Set for text the model can read. */
  text?: string
}

/** Everything an answer may depend on. */
export interface Question {
  /** What the model sees of the prompt. */
  prompt: string
  /** Earlier turns of the chat, oldest first. */
  history: ReadonlyArray<{ prompt: string; text: string; extra?: AnswerExtra }>
  files: readonly AttachedFile[]
  model: { id: string; name: string; mode: string }
  /** Instruction of the gem in use. */
  gem?: { name: string; prompt: string }
  tool?: string
  orientation?: 'landscape' | 'portrait'
  genres?: readonly string[]
  thinking: boolean
  signedIn: boolean
}
