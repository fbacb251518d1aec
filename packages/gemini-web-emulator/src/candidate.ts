import {
  DOCUMENT_KINDS,
  MEDIA_KINDS,
  RESEARCH_STATES,
  type CandidateInput,
  type GeneratedImage,
  type MediaFile,
} from '@castorjs/gemini-web-protocol'
import type { Answer, AnswerFile, AnswerPicture } from './answers/answer.ts'
import { throughEmulator } from './locate.ts'

/** What is known when an answer is put on the wire. */
export interface CandidateContext {
  chatId: string
  candidateId: string
  /** Unix milliseconds written into media items. */
  createdMs: number
  /** The job of the answer is done: history shows its result. */
  done: boolean
  /** History and stream use different paths for pictures. */
  fromHistory: boolean
  /** Set to lead links through the emulator. */
  origin?: string
  /** Adds a job id to a plan. */
  planJobId?: boolean
}

const MUSIC_LABEL = 'Generating your music...'

/** The candidate of an answer once it is complete. */
export function finishedCandidate(answer: Answer, context: CandidateContext): CandidateInput {
  const { extra } = answer
  const base: CandidateInput = {
    id: context.candidateId,
    text: answer.text,
    complete: true,
    ...(answer.thoughts === undefined ? {} : { thoughts: answer.thoughts }),
  }
  switch (extra?.kind) {
    case undefined:
      return base
    case 'pictures':
      return { ...base, images: extra.pictures.map((picture, index) => imageOf(picture, index, context)) }
    case 'web-pictures':
      return {
        ...base,
        cardText: extra.realText,
        webImages: extra.pictures.map(({ url, title, alt }) => ({ url, title, alt })),
      }
    case 'video': {
      if (!context.done) return { ...base, videoJob: extra.jobId }
      const { width, height, seconds } = extra
      return {
        ...base,
        text: extra.doneText,
        videos: [
          fileOf(extra.clip, MEDIA_KINDS.video, extra.thumbnail, context, {
            durationMs: seconds * 1_000,
            width,
            height,
          }),
        ],
      }
    }
    case 'music':
      return {
        ...base,
        music: {
          audio: fileOf(extra.track, MEDIA_KINDS.audio, extra.cover, context),
          clip: fileOf(extra.clip, MEDIA_KINDS.video, extra.cover, context),
          captionsUrl: downloadUrl(extra.captions, context),
          title: extra.title,
          artist: 'Gemini',
          genre: extra.genre,
          moods: [...extra.moods],
        },
      }
    case 'canvas':
      return { ...base, documents: [documentOf(answer, context, 1)] }
    case 'plan':
      return {
        ...base,
        thoughts: '',
        working: true,
        plan: {
          title: extra.plan.title,
          steps: extra.plan.steps.map(({ label, body }, index) => ({
            number: index + 1,
            label,
            ...(body === undefined ? {} : { body }),
          })),
          duration: extra.plan.duration,
          confirmPrompt: extra.plan.confirm,
          editPrompt: extra.plan.edit,
        },
        researchQuota: { numbers: [3, 4, 4] },
        researchState: RESEARCH_STATES.awaitingConfirmation,
        ...(context.planJobId === true ? { researchJob: extra.jobId } : {}),
      }
    case 'research':
      if (!context.done) {
        return {
          ...base,
          working: true,
          researchJob: extra.jobId,
          researchQuota: { numbers: [3, 4, 4] },
          researchState: RESEARCH_STATES.running,
          documents: [{ id: extra.jobId, jobId: extra.jobId, content: '', kind: DOCUMENT_KINDS.research }],
        }
      }
      return {
        ...base,
        text: extra.doneText,
        researchJob: extra.jobId,
        documents: [
          {
            id: `${context.chatId}_report.md`,
            title: extra.report.title,
            jobId: extra.jobId,
            content: extra.report.markdown,
            kind: DOCUMENT_KINDS.document,
            citations: extra.report.sources.map(({ url, title }, index) => ({ number: index + 1, url, title })),
          },
        ],
      }
  }
}

/** What a snapshot shows while a tool works and there is no text yet; undefined when nothing works. */
export function workingCandidate(answer: Answer, { candidateId }: CandidateContext): CandidateInput | undefined {
  switch (answer.extra?.kind) {
    case 'pictures':
      return { id: candidateId, working: true }
    case 'music':
      return { id: candidateId, musicProgress: MUSIC_LABEL }
    default:
      return undefined
  }
}

/** The snapshot before the final one of an answer that is more than text; undefined when there is none. */
export function partialCandidate(answer: Answer, context: CandidateContext): CandidateInput | undefined {
  switch (answer.extra?.kind) {
    case 'pictures': {
      const placeholders = answer.text.slice(answer.text.indexOf('http://googleusercontent.com/'))
      return { ...finishedCandidate(answer, context), text: placeholders, working: true, complete: false }
    }
    case 'video':
    case 'plan':
    case 'research':
      return { ...finishedCandidate(answer, context), complete: false }
    default:
      return undefined
  }
}

/** A canvas document of which only a part is written. */
export function documentOf(
  answer: Answer,
  { chatId }: CandidateContext,
  part: number,
): NonNullable<CandidateInput['documents']>[number] {
  if (answer.extra?.kind !== 'canvas') throw new TypeError('Only canvas answers have a document')
  const { file, title, content, language } = answer.extra.document
  const end = Math.floor(content.length * part)
  const shown = content.slice(0, end).replace(/[\ud800-\udbff]$/, '')
  return {
    id: `${chatId}_${file}`,
    title,
    content: shown,
    fileName: file,
    kind: language === undefined ? DOCUMENT_KINDS.document : DOCUMENT_KINDS.code,
    ...(language === undefined ? {} : { language, final: part === 1 }),
  }
}

function link(url: string, { origin }: CandidateContext): string {
  return origin === undefined ? url : throughEmulator(url, origin)
}

function pictureUrl({ assetId }: AnswerPicture, context: CandidateContext): string {
  return link(`https://lh3.googleusercontent.com/${context.fromHistory ? 'gg' : 'gg-dl'}/${assetId}`, context)
}

function imageOf(picture: AnswerPicture, index: number, context: CandidateContext): GeneratedImage {
  const { assetId, name, width, height } = picture
  const scale = Math.min(1, 1_024 / Math.max(width, height))
  return {
    imageId: `http://googleusercontent.com/image_generation_content/${index}`,
    url: pictureUrl(picture, context),
    fileName: name,
    token: `$A${assetId.slice(0, 20)}`,
    createdMs: context.createdMs,
    mimeType: 'image/png',
    width: Math.round(width * scale),
    height: Math.round(height * scale),
    bytes: Math.round(width * height * 0.5),
  }
}

/** Address of a file on the media host. The parameter says that it may be downloaded. Source: fact sheet §9.2, §9.5. */
function downloadUrl({ assetId, name }: AnswerFile, context: CandidateContext): string {
  const parameter = btoa(`response_data/${assetId}`).replace(/=+$/, '')
  return link(
    `https://contribution.usercontent.google.com/download?c=${parameter}&filename=${encodeURIComponent(name)}&opi=103135050`,
    context,
  )
}

function fileOf(
  file: AnswerFile,
  kind: number,
  thumbnail: AnswerPicture,
  context: CandidateContext,
  size: Pick<MediaFile, 'durationMs' | 'width' | 'height'> = {},
): MediaFile {
  const picture = pictureUrl(thumbnail, context)
  return {
    kind,
    url: downloadUrl(file, context),
    fileName: file.name,
    token: `$A${file.assetId.slice(0, 20)}`,
    thumbnailUrl: picture,
    previewUrl: picture,
    createdMs: context.createdMs,
    mimeType: kind === MEDIA_KINDS.audio ? 'audio/mpeg' : 'video/mp4',
    ...size,
  }
}
