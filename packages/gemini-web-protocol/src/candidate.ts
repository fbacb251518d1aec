/** One alternative reply: candidate of a message or of a stored turn, both directions. Source: fact sheet §4.5. */

import { withoutUndefined } from './fields.ts'
import {
  buildGeneratedImage,
  buildMusic,
  buildVideos,
  buildWebImage,
  type GeneratedImage,
  type MediaFile,
  type Music,
  readGeneratedImage,
  readMusic,
  readVideos,
  readWebImage,
  type WebImage,
} from './media.ts'
import { get, type Layout, read, readList, readNumber, readString, wirePath, writeSlots } from './path.ts'
import {
  buildDocument,
  buildResearchJob,
  buildResearchPlan,
  buildResearchQuota,
  type CanvasDocument,
  findReport,
  readDocument,
  readResearchJob,
  readResearchPlan,
  readResearchQuota,
  type ResearchPlan,
  type ResearchQuota,
  type ResearchReport,
} from './research.ts'

/** Shape: `rc_…`. Source: fact sheet §4.5 [S]. */
export const CANDIDATE_ID = wirePath('CANDIDATE_ID', 0)
/** The whole text so far. Shape: list of strings, usually one. Source: fact sheet §4.5 [S]. */
export const CANDIDATE_TEXT = wirePath('CANDIDATE_TEXT', 1)
/** 1 in progress, 2 complete. Source: fact sheet §4.5 [S]. */
export const CANDIDATE_STATE = wirePath('CANDIDATE_STATE', 8, 0)
/** Source: fact sheet §4.5 [M]. */
export const CANDIDATE_LANGUAGE = wirePath('CANDIDATE_LANGUAGE', 9)
/** Source: fact sheet §4.5 [S]. */
export const CANDIDATE_RICH = wirePath('CANDIDATE_RICH', 12)
/** Real text of a card answer. Shape: `[text]`. Source: fact sheet §4.5 [M]. */
export const CANDIDATE_CARD_TEXT = wirePath('CANDIDATE_CARD_TEXT', 22, 0)
/** Canvas and research documents. Shape: list. Source: fact sheet §4.5 [M]. */
export const CANDIDATE_DOCUMENTS = wirePath('CANDIDATE_DOCUMENTS', 30)
/** Thoughts so far; may become empty during the answer. Shape: string. Source: fact sheet §4.5 [S]. */
export const CANDIDATE_THOUGHTS = wirePath('CANDIDATE_THOUGHTS', 37, 0, 0)

/** Fields of the rich content by index. Source: fact sheet §4.5, second table. */
export const RICH = {
  webImages: 1,
  /** `[0]` while a tool works. */
  working: 6,
  /** Index 0 is the list. */
  generatedImages: 7,
  researchPlan: 55,
  researchStarted: 56,
  researchQuota: 57,
  video: 59,
  /** `[[chip],"<job uuid>"]` */
  videoPending: 64,
  researchState: 69,
  /** `[null,"<text>",null,3]` */
  musicProgress: 72,
  music: 86,
} as const

/** A card answer says nothing itself; its text is elsewhere. Source: fact sheet §4.7 [M]. */
export const CARD_PREFIX = 'http://googleusercontent.com/card_content/'

export interface Candidate {
  id: string
  /** The whole text so far, as it came; the card's own text when the answer is a card. */
  text: string
  /** The whole thoughts so far, the longest seen. */
  thoughts: string
  complete: boolean
  language?: string
  /** A tool is at work on this candidate. */
  working: boolean
  images: GeneratedImage[]
  webImages: WebImage[]
  videos: MediaFile[]
  /** Job id of a video that is being made. */
  videoJob?: string
  music?: Music
  musicProgress?: string
  /** Latest content per id. */
  documents: CanvasDocument[]
  plan?: ResearchPlan
  researchQuota?: ResearchQuota
  /** {@link RESEARCH_STATES} */
  researchState?: number
  researchJob?: string
  report?: ResearchReport
}

/** The text of a candidate: index 1 joined, or the card's text. */
export function readCandidateText(node: unknown): string {
  const text = (readList(node, CANDIDATE_TEXT) ?? []).filter((part) => typeof part === 'string').join('')
  return text.startsWith(CARD_PREFIX) ? (readString(node, CANDIDATE_CARD_TEXT) ?? text) : text
}

/** Reads a candidate in either layout. What is missing is empty; nothing throws. */
export function readCandidate(node: unknown): Candidate {
  const rich = read(node, CANDIDATE_RICH)
  const documents = (readList(node, CANDIDATE_DOCUMENTS) ?? [])
    .map(readDocument)
    .filter((document) => document !== undefined)
  const images = (readList(rich, [RICH.generatedImages, 0]) ?? [])
    .map(readGeneratedImage)
    .filter((image) => image !== undefined)
  return {
    id: readString(node, CANDIDATE_ID) ?? '',
    text: readCandidateText(node),
    thoughts: readString(node, CANDIDATE_THOUGHTS) ?? '',
    complete: readNumber(node, CANDIDATE_STATE) === 2,
    working: get(rich, RICH.working) !== undefined && get(rich, RICH.working) !== null,
    images,
    webImages: (readList(rich, [RICH.webImages]) ?? []).map(readWebImage).filter((image) => image !== undefined),
    videos: readVideos(get(rich, RICH.video)),
    documents,
    ...withoutUndefined({
      language: readString(node, CANDIDATE_LANGUAGE),
      videoJob: readString(rich, [RICH.videoPending, 1]),
      music: readMusic(get(rich, RICH.music)),
      musicProgress: readString(rich, [RICH.musicProgress, 1]),
      plan: readResearchPlan(get(rich, RICH.researchPlan)),
      researchQuota: readResearchQuota(get(rich, RICH.researchQuota)),
      researchState: readNumber(rich, [RICH.researchState]),
      researchJob:
        readResearchJob(get(rich, RICH.researchStarted)) ??
        documents.find((document) => document.jobId !== undefined)?.jobId,
      report: findReport(documents),
    }),
  }
}

/** What the emulator says in a candidate; everything but the id may be left out. */
export type CandidateInput = Pick<Candidate, 'id'> & Partial<Omit<Candidate, 'report'>> & { cardText?: string }

/** Writes a candidate with the flags of the recorded ones. `layout` is that of the rich content. */
export function buildCandidate(input: CandidateInput, { layout = 'dense' }: { layout?: Layout } = {}): unknown[] {
  const { id, text = '', thoughts, complete = false, language = 'en', cardText, documents = [] } = input
  const spoken = text !== ''
  return writeSlots({
    0: id,
    1: [text],
    2: complete ? [null, null, null, null, [null, null, 8]] : undefined,
    6: spoken ? true : undefined,
    8: [complete ? 2 : 1],
    9: spoken ? language : undefined,
    12: buildRich(input, layout),
    15: spoken ? true : undefined,
    16: spoken ? undefined : true,
    21: spoken ? [false] : undefined,
    22: cardText === undefined ? undefined : [cardText],
    23: false,
    24: spoken ? [] : undefined,
    28: [],
    30: documents.length > 0 ? documents.map(buildDocument) : undefined,
    37: thoughts === undefined ? undefined : [[thoughts]],
  })
}

function buildRich(input: CandidateInput, layout: Layout): unknown[] | undefined {
  const {
    images = [],
    webImages = [],
    videos = [],
    working = false,
    videoJob,
    music,
    musicProgress,
    plan,
    researchQuota,
    researchState,
    researchJob,
  } = input
  const media = images.length > 0 ? [images.map(buildGeneratedImage)] : undefined
  const rich: Record<number, unknown> = {
    [RICH.webImages]: webImages.length > 0 ? webImages.map(buildWebImage) : undefined,
    [RICH.working]: working ? [0] : undefined,
    [RICH.generatedImages]: media,
    [RICH.researchPlan]: plan === undefined ? undefined : buildResearchPlan(plan),
    [RICH.researchStarted]:
      researchJob === undefined ? undefined : buildResearchJob(researchJob, { running: researchState !== undefined }),
    [RICH.researchQuota]: researchQuota === undefined ? undefined : buildResearchQuota(researchQuota),
    [RICH.video]: videos.length > 0 ? buildVideos(videos) : undefined,
    [RICH.videoPending]:
      videoJob === undefined ? undefined : [['http://googleusercontent.com/video_gen_chip/0'], videoJob],
    [RICH.researchState]: researchState,
    [RICH.musicProgress]: musicProgress === undefined ? undefined : [null, musicProgress, null, 3],
    [RICH.music]: music === undefined ? undefined : buildMusic(music),
  }
  if (Object.values(rich).every((value) => value === undefined)) return undefined
  // Tools leave an empty list of pictures behind in the recordings.
  if (
    media === undefined &&
    (working || music !== undefined || musicProgress !== undefined || plan !== undefined || researchJob !== undefined)
  ) {
    rich[RICH.generatedImages] = []
  }
  return writeSlots(rich, { layout })
}
