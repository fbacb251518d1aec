import { hashText } from '../ids.ts'
import type { Answer, AnswerExtra, AnswerFile, AnswerPicture, Question } from './answer.ts'
import { composeCanvas } from './canvas.ts'
import { readConversation, type Conversation } from './conversation.ts'
import { readPictureSizeWish } from './picture-size.ts'
import { composePlan, composeResearch } from './research.ts'
import { answerInWords, shorten } from './text.ts'

/** Makes the assets that answers refer to. */
export interface Studio {
  picture(spec: { name: string; prompt: string; width: number; height: number }): AnswerPicture
  file(spec: {
    name: string
    kind: 'video' | 'audio' | 'captions'
    prompt: string
    width?: number
    height?: number
    seconds?: number
    readyMs?: number
  }): AnswerFile
  /** Id for a job that takes a while. */
  jobId(): string
}

/** The tools a prompt can ask for; by slot, and pictures also by wording. */
type Tool = 'research' | 'canvas' | 'video' | 'image' | 'music' | 'none'

const PICTURE_WISH =
  /\b(?:generate|create|draw|paint|make|design|render|sketch|illustrate)\b[^.?!\n]{0,60}\b(?:images?|pictures?|photos?|illustrations?|paintings?|drawings?|logos?|posters?|icons?|wallpapers?)\b|^\s*(?:please )?(?:draw|paint|sketch)\b|画(?:一|个|张|幅|只)|(?:生成|创建|制作|绘制)[^。！？\n]{0,30}(?:图|照片|画)/iu
const EDIT_WISH = /\b(?:edit|change|modify|remove|replace|add|turn|make|recolou?r|restyle)\b/i

/** What the emulated model answers. The same question gets the same answer. */
export function composeAnswer(question: Question, studio: Studio): Answer {
  const conversation = readConversation(question)
  const tool = toolOf(question, conversation)
  if (tool !== 'none' && !question.signedIn) {
    return { title: titleOf(conversation.last), text: 'To do that you have to sign in. I can help with text here.' }
  }
  return withThoughts(compose(tool, question, conversation, studio), question, conversation)
}

function toolOf(question: Question, { last }: Conversation): Tool {
  const { tool, history, files } = question
  const waiting = history.at(-1)?.extra?.kind === 'plan'
  if (tool === 'research' || (tool === undefined && waiting && /^(?:start research|开始研究)$/iu.test(last.trim())))
    return 'research'
  if (tool === 'canvas' || tool === 'video' || tool === 'image' || tool === 'music') return tool
  if (/repeat exactly:/i.test(last)) return 'none'
  if (PICTURE_WISH.test(last)) return 'image'
  const source = files.some((file) => file.mimeType.startsWith('image/')) || history.at(-1)?.extra?.kind === 'pictures'
  return source &&
    EDIT_WISH.test(last) &&
    /\b(?:it|image|picture|photo|background|colou?r|style)\b/i.test(last) &&
    !last.includes('?')
    ? 'image'
    : 'none'
}

function compose(tool: Tool, question: Question, conversation: Conversation, studio: Studio): Answer {
  const { last } = conversation
  const title = titleOf(last)
  switch (tool) {
    case 'image':
      return composePictures(question, last, title, studio)
    case 'video':
      return composeVideo(question, last, title, studio)
    case 'music':
      return composeMusic(question, last, title, studio)
    case 'canvas':
      return composeCanvas(question, last)
    case 'research':
      return question.history.at(-1)?.extra?.kind === 'plan' && isConfirmation(question, last)
        ? composeResearch(question, studio)
        : composePlan(question, last, studio)
    case 'none':
      return (
        withWebPictures(last, title) ??
        withCodeRun(last, title) ?? { title, text: answerInWords(question, conversation) }
      )
  }
}

function isConfirmation({ history }: Question, last: string): boolean {
  const extra = history.at(-1)?.extra
  return extra?.kind === 'plan' && extra.plan.confirm.toLowerCase() === last.trim().toLowerCase()
}

function composePictures(question: Question, last: string, title: string, studio: Studio): Answer {
  const count = howMany(last)
  const earlier = question.history.filter((turn) => turn.extra?.kind === 'pictures').length
  const source = question.files.find((file) => file.mimeType.startsWith('image/'))
  // Another source or another turn makes another picture of the same words.
  const seed = source === undefined ? last : `${last}/${hashText(String(source.bytes.length) + source.name)}`
  const name = fileName(title, 'png')
  const pictures = Array.from({ length: count }, (_, index) =>
    studio.picture({
      name: index === 0 ? name : name.replace('.png', `_${index + 1}.png`),
      prompt: `${seed}#${earlier}.${index}`,
      ...readPictureSizeWish(last),
    }),
  )
  const subject = source === undefined ? `“${shorten(last, 80)}”` : `${source.name}, changed as you asked`
  const links = pictures.map((_, index) => `http://googleusercontent.com/image_generation_content/${index}\n`).join('')
  return {
    title,
    text: `Here is ${count === 1 ? 'the picture' : `a set of ${count} pictures`} for ${subject}.\n${links}`,
    activity: { label: 'Creating your image' },
    extra: { kind: 'pictures', pictures },
  }
}

function howMany(prompt: string): number {
  const word =
    /\b(two|three|four|[2-4])\b(?=[^.?!\n]{0,30}\b(?:images|pictures|photos|illustrations|drawings|logos|icons|variations)\b)/i.exec(
      prompt,
    )?.[1]
  return word === undefined ? 1 : ({ two: 2, three: 3, four: 4 }[word.toLowerCase()] ?? Number(word))
}

function composeVideo(question: Question, last: string, title: string, studio: Studio): Answer {
  const upright = question.orientation === 'portrait'
  const [width, height, seconds] = upright ? [720, 1280, 8] : [1280, 720, 8]
  const extra: AnswerExtra = {
    kind: 'video',
    jobId: studio.jobId(),
    clip: studio.file({ name: 'video.mp4', kind: 'video', prompt: last, width, height, seconds }),
    thumbnail: studio.picture({ name: 'thumbnail.png', prompt: last, width: width / 2, height: height / 2 }),
    width,
    height,
    seconds,
    doneText: 'Your video is ready!\nhttp://googleusercontent.com/generated_video_content/0\n',
  }
  return {
    title,
    text: "I'm generating your video. This could take a few minutes, so check back to see when it is ready.\nhttp://googleusercontent.com/video_gen_chip/0\n",
    extra,
  }
}

function composeMusic(question: Question, last: string, title: string, studio: Studio): Answer {
  const stem = fileName(title, '')
  const genre = question.genres?.[0] ?? 'ambient'
  const extra: AnswerExtra = {
    kind: 'music',
    title,
    genre: (genre[0] ?? '').toUpperCase() + genre.slice(1),
    moods: ['calm', 'spacious'],
    track: studio.file({ name: `${stem}mp3`, kind: 'audio', prompt: last, seconds: 30 }),
    clip: studio.file({ name: `${stem}mp4`, kind: 'video', prompt: last, width: 640, height: 640, seconds: 30 }),
    captions: studio.file({ name: `${stem}vtt`, kind: 'captions', prompt: last, seconds: 30 }),
    cover: studio.picture({ name: 'cover.png', prompt: last, width: 640, height: 640 }),
  }
  return { title, text: 'Your track is ready.\nhttp://googleusercontent.com/generated_music_content/0\n', extra }
}

/** Pictures found on the web: the text is a card, the words are elsewhere. Source: example stream-10. */
function withWebPictures(last: string, title: string): Answer | undefined {
  const subject = /\b(?:show me|find)(?: some| a few)? (?:photos|pictures|images) of ([^.?!\n]{2,60})/i.exec(last)?.[1]
  if (subject === undefined) return undefined
  const slug = subject
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
  return {
    title,
    text: 'http://googleusercontent.com/card_content/0',
    extra: {
      kind: 'web-pictures',
      realText: `Here is what I found for ${subject.trim()}.`,
      pictures: [1, 2].map((n) => ({
        url: `https://images.example.org/${slug}-${n}.jpg`,
        title: `${subject.trim()} - Example ${n}`,
        alt: `${subject.trim()}, picture ${n}`,
      })),
    },
  }
}

/** Code that was run: marked fences inside the text. Source: example stream-04. */
function withCodeRun(last: string, title: string): Answer | undefined {
  const power =
    /\b(?:run|execute|use) (?:some |this )?(?:python|code)\b[^\n]*?\b(\d{1,2})\s*(?:\*\*|\^|to the power of)\s*(\d{1,2})/i.exec(
      last,
    )
  if (power === null) return undefined
  const result = Number(power[1]) ** Number(power[2])
  return {
    title,
    activity: { label: 'Analyzing', tool: 'data_analysis_tool' },
    text:
      `\`\`\`python?code_reference&code_event_index=2\nprint(${power[1]}**${power[2]})\n\`\`\`\n` +
      `\`\`\`text?code_stdout&code_event_index=2\n${result}\n\n\`\`\`\n${power[1]} to the power of ${power[2]} is ${result}.`,
  }
}

function withThoughts(answer: Answer, question: Question, { last, earlier }: Conversation): Answer {
  if (!question.thinking || answer.thoughts !== undefined) return answer
  const thoughts = [
    `**Reading the question**\n\nThe user wants: ${shorten(last, 120)}`,
    earlier.length > 0
      ? `**Looking back**\n\nThere are ${earlier.length} earlier messages to take into account.`
      : '**Looking back**\n\nThis is the first message, so nothing has to be taken into account.',
    '**Preparing the answer**\n\nThe answer follows from the question alone.',
  ]
  return { ...answer, activity: answer.activity ?? { label: 'Reading the question' }, thoughts: thoughts.join('\n\n') }
}

/** First words of a prompt, as the service names chats. */
export function titleOf(prompt: string): string {
  const words = prompt.trim().replace(/\s+/g, ' ').split(' ').slice(0, 6).join(' ')
  return shorten(words.replace(/[.:,;!?]+$/, ''), 48) || 'New chat'
}

function fileName(title: string, extension: string): string {
  const stem = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
  return `${stem === '' ? 'gemini' : stem}.${extension}`
}
