import {
  cleanText,
  type CanvasDocument,
  type Continuation,
  type FollowUp,
  type GeneratedImage,
  type MediaFile,
  type Music,
  type ReplySnapshot,
  type ResearchPlan,
  type ResearchReport,
  type WebImage,
} from '@castorjs/gemini-web-protocol'

/** What is needed to go on in a chat, as plain data: keep it between runs. */
export interface ChatState extends Continuation {
  /** Turns so far. */
  turns: number
  /** Model the chat began with, as it was asked for; a chat keeps its model. */
  model?: string
  gemId?: string
  temporary: boolean
}

/** A whole answer. */
export interface WebReply {
  /** Text without placeholders and marks of the page. */
  text: string
  thoughts: string
  /** Ids for the next turn; absent when the upstream gave none. */
  chat?: ChatState
  responseId?: string
  candidateId?: string
  title?: string
  /** Id and display name of the model that answered. */
  servedModelId?: string
  servedModelName?: string
  /** Another model than the one asked for answered. */
  substituted: boolean
  images: GeneratedImage[]
  /** Pictures found on the web. */
  webImages: WebImage[]
  videos: MediaFile[]
  /** Job of a video that is still being made. */
  videoJob?: string
  music?: Music
  /** True while music is being made. */
  musicPending: boolean
  /** Canvas documents, latest content of each. */
  documents: CanvasDocument[]
  plan?: ResearchPlan
  researchJob?: string
  report?: ResearchReport
  followUps: readonly FollowUp[]
  /** How often the upstream took back text that had been sent. */
  rewrites: number
  /** The stream had broken and the answer was read back from the chat. */
  recovered: boolean
}

export interface ReplyContext {
  chat: { turns: number; model?: string; gemId?: string; temporary: boolean }
  substituted: boolean
  rewrites: number
  recovered: boolean
}

/** Makes the public reply from what the decoder gathered. */
export function toWebReply(snapshot: ReplySnapshot, context: ReplyContext): WebReply {
  const { chatId, responseId, candidateId, contextToken } = snapshot
  const [candidate] = snapshot.candidates
  const { text, followUps } = cleanText(snapshot.text)
  const { model, ...chat } = context.chat
  return {
    text,
    thoughts: snapshot.thoughts,
    followUps,
    substituted: context.substituted,
    rewrites: context.rewrites,
    recovered: context.recovered,
    images: candidate?.images ?? [],
    webImages: candidate?.webImages ?? [],
    videos: candidate?.videos ?? [],
    documents: candidate?.documents ?? [],
    musicPending: candidate?.musicProgress !== undefined && candidate.music === undefined,
    ...(chatId === undefined || responseId === undefined
      ? {}
      : {
          chat: {
            chatId,
            responseId,
            candidateId: candidateId ?? '',
            ...(contextToken === undefined ? {} : { contextToken }),
            ...chat,
            ...(model === undefined ? {} : { model }),
          },
        }),
    ...(responseId === undefined ? {} : { responseId }),
    ...(candidateId === undefined ? {} : { candidateId }),
    ...(snapshot.title === undefined ? {} : { title: snapshot.title }),
    ...(snapshot.servedModelId === undefined ? {} : { servedModelId: snapshot.servedModelId }),
    ...(snapshot.servedModelName === undefined ? {} : { servedModelName: snapshot.servedModelName }),
    ...(candidate?.videoJob === undefined ? {} : { videoJob: candidate.videoJob }),
    ...(candidate?.music === undefined ? {} : { music: candidate.music }),
    ...(candidate?.plan === undefined ? {} : { plan: candidate.plan }),
    ...(candidate?.researchJob === undefined ? {} : { researchJob: candidate.researchJob }),
    ...(candidate?.report === undefined ? {} : { report: candidate.report }),
  }
}

/** Whether there is anything in an answer besides silence. */
export function hasContent(snapshot: ReplySnapshot): boolean {
  if (snapshot.text !== '') return true
  return snapshot.candidates.some(
    (candidate) =>
      candidate.images.length > 0 ||
      candidate.webImages.length > 0 ||
      candidate.videos.length > 0 ||
      candidate.documents.length > 0 ||
      candidate.videoJob !== undefined ||
      candidate.music !== undefined ||
      candidate.musicProgress !== undefined ||
      candidate.plan !== undefined ||
      candidate.researchJob !== undefined,
  )
}
