import { describe, expect, it } from 'vitest'
import { buildCandidate, type CandidateInput, readCandidate } from './candidate.ts'
import {
  buildExpandedMediaPrompts,
  buildOriginalImageUrl,
  originalImagePayload,
  readExpandedMediaPrompts,
  readGeneratedImage,
  readOriginalImagePayload,
  readOriginalImageUrl,
  readVideos,
} from './media.ts'

const image = {
  imageId: 'http://googleusercontent.com/image_generation_content/0',
  url: 'https://lh3.googleusercontent.com/gg-dl/x',
  fileName: 'lighthouse.png',
  token: '$Ax',
  createdMs: 1_790_000_001_500,
  mimeType: 'image/png',
  width: 1024,
  height: 559,
  bytes: 812_345,
}
const file = {
  kind: 4,
  url: 'https://contribution.usercontent.google.com/download?c=x',
  fileName: 'a.mp3',
  token: '$Ay',
  thumbnailUrl: 'https://lh3.googleusercontent.com/t',
  createdMs: 1_790_000_088_000,
  mimeType: 'audio/mpeg',
}

/** A candidate with everything at once. */
const full: CandidateInput = {
  id: 'rc_1',
  text: 'Here it is.',
  thoughts: '**Plan**',
  complete: true,
  language: 'en',
  working: true,
  images: [image],
  webImages: [{ url: 'https://images.example.org/a.jpg', alt: 'A', title: 'B' }],
  videos: [{ ...file, kind: 2, fileName: 'v.mp4', mimeType: 'video/mp4', durationMs: 8_000, width: 1280, height: 720 }],
  videoJob: 'job-1',
  music: {
    audio: file,
    clip: { ...file, kind: 2 },
    captionsUrl: 'https://contribution.usercontent.google.com/vtt',
    title: 'Quiet',
    artist: 'Gemini',
    genre: 'Ambient',
    moods: ['calm'],
  },
  musicProgress: 'Generating…',
  documents: [
    {
      id: 'c_1_index.html',
      title: 'Timer',
      content: '```html\n<b>\n```',
      fileName: 'index.html',
      kind: 2,
      language: 'html',
      final: false,
    },
  ],
  plan: {
    title: 'Tides',
    steps: [
      { number: 1, label: 'Search', body: '(1) …' },
      { number: 2, label: 'Report' },
    ],
    duration: 'minutes',
    confirmPrompt: 'Start',
    placeholder: 'http://googleusercontent.com/x/0',
    editLabel: 'Edit',
    editPrompt: 'Change',
  },
  researchQuota: { numbers: [3, 4, 4], resetSeconds: 1_790_000_000 },
  researchState: 3,
  researchJob: 'job-2',
}

describe('candidate', () => {
  it.each(['dense', 'sparse'] as const)('reads everything it wrote in the %s layout', (layout) => {
    expect(readCandidate(buildCandidate(full, { layout }))).toEqual(full)
  })

  it('has empty lists and texts where nothing is', () => {
    const empty = {
      text: '',
      thoughts: '',
      complete: false,
      working: false,
      images: [],
      webImages: [],
      videos: [],
      documents: [],
    }
    expect(readCandidate(buildCandidate({ id: 'rc_1' }))).toEqual({ id: 'rc_1', ...empty })
    expect(readCandidate(null)).toEqual({ id: '', ...empty })
  })

  it('takes the text of a card from its own place, and joins parts', () => {
    expect(
      readCandidate(
        buildCandidate({ id: 'rc_1', text: 'http://googleusercontent.com/card_content/0', cardText: 'A panda.' }),
      ).text,
    ).toBe('A panda.')
    expect(
      readCandidate(buildCandidate({ id: 'rc_1', text: 'http://googleusercontent.com/card_content/0' })).text,
    ).toBe('http://googleusercontent.com/card_content/0')
    expect(readCandidate(['rc_1', ['a', 'b']]).text).toBe('ab')
  })

  it('finds the report of a research, and none while it runs', () => {
    const citations = [{ number: 1, url: 'https://a.example', title: 'A' }]
    const document = { id: 'c_1_report.md', jobId: 'job-2', title: 'Tides', content: '# Tides [cite: 1]' }
    expect(
      readCandidate(buildCandidate({ id: 'rc_1', documents: [{ ...document, kind: 1, citations }] })).report,
    ).toEqual({ jobId: 'job-2', title: 'Tides', text: '# Tides [cite: 1]', citations })
    expect(
      readCandidate(buildCandidate({ id: 'rc_1', documents: [{ ...document, kind: 3, content: '' }] })),
    ).toMatchObject({ researchJob: 'job-2', documents: [{ id: 'job-2', kind: 3 }] })
  })
})

describe('media', () => {
  it('does not take a placeholder for a picture, and builds a missing id', () => {
    expect(
      readGeneratedImage([
        [null, null, null, [null, 1, 'a.png', 'https://googleusercontent.com/image_generation_content/0']],
      ]),
    ).toBeUndefined()
    expect(readGeneratedImage([[null, null, null, [null, 1, null, 'https://lh3.googleusercontent.com/x']]], 2)).toEqual(
      {
        imageId: 'http://googleusercontent.com/image_generation_content/2',
        url: 'https://lh3.googleusercontent.com/x',
      },
    )
  })

  it('lists files that can be downloaded first', () => {
    const tuple = (text: string) => [
      null,
      2,
      text,
      null,
      null,
      null,
      null,
      [null, `https://contribution.usercontent.google.com/download?c=${encodeURIComponent(btoa(text))}`],
    ]
    expect(readVideos([[[[tuple('temp_data/1'), tuple('response_data/2')]]]]).map((video) => video.fileName)).toEqual([
      'response_data/2',
      'temp_data/1',
    ])
  })

  it('asks for an original with the ids in the order of the capture', () => {
    const request = { imageId: image.imageId, chatId: 'c_1', responseId: 'r_1', candidateId: 'rc_1' }
    expect(originalImagePayload(request)).toEqual([
      [
        [null, null, null, [null, null, null, null, null, '']],
        [image.imageId, 0],
        null,
        [19, ''],
        null,
        null,
        null,
        null,
        null,
        '',
      ],
      ['r_1', 'rc_1', 'c_1', null, ''],
      1,
      0,
      1,
    ])
    expect(readOriginalImagePayload(originalImagePayload(request))).toEqual(request)
    expect(readOriginalImagePayload([])).toBeUndefined()
    expect(readOriginalImageUrl(buildOriginalImageUrl('https://x'))).toBe('https://x')
    expect(readExpandedMediaPrompts(buildExpandedMediaPrompts(['a', 'b']))).toEqual(['a', 'b'])
  })
})
