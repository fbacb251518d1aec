import { GenerationError, type Content, type GenerateContentRequest, type Part } from '@castorjs/content-generator'
import { utf8Length } from '@castorjs/gemini-web-protocol'

/** A file of the request, still to be fetched or decoded. */
export interface RequestFile {
  /** Where it stands in the request, such as `contents[0].parts[1].inlineData`. */
  field: string
  /** Name used in the prompt and for the upload; its ending is found with the type. */
  stem: string
  mimeType?: string
  /** Base64. */
  data?: string
  uri?: string
  /** It belongs to the newest turn. */
  newest: boolean
}

export interface FoldedRequest {
  prompt: string
  /** History that travels as an attached text file. */
  historyFile?: string
  files: RequestFile[]
}

export interface FoldOptions {
  /** UTF-8 bytes that a prompt may have. */
  promptLimitBytes: number
  /** UTF-8 bytes of attached text that the model sees. */
  attachedLimitBytes: number
  /** Added to the system text. */
  instructions: readonly string[]
  /** Added to the newest turn. */
  suffix?: string
}

export const HISTORY_FILE_NAME = 'conversation.txt'

type Speaker = 'system' | 'user' | 'model'

interface Turn {
  speaker: Speaker
  text: string
}

/**
 * Folds a stateless request into one prompt. A single question goes out as it is; otherwise marks between dashes
 * tell who speaks, and the newest turn comes last. What does not fit into the prompt travels as an attached file,
 * oldest first, and the newest turn always stays in the prompt.
 *
 * @throws {GenerationError} `too_large` when the newest turn or the history cannot fit, `invalid_request` without any text or file.
 */
export function foldRequest(request: GenerateContentRequest, options: FoldOptions): FoldedRequest {
  const { instructions, suffix = '', promptLimitBytes, attachedLimitBytes } = options
  const newestFrom = findNewest(request.contents)
  const files: RequestFile[] = []
  const system = [readText(request.systemInstruction, 'systemInstruction', files, false), ...instructions]
  const history: Turn[] = []
  let newest = ''
  for (const [index, content] of request.contents.entries()) {
    const text = readText(content, `contents[${index}]`, files, index >= newestFrom)
    if (content.role === 'system') system.push(text)
    else if (index >= newestFrom) newest += (newest === '' || text === '' ? '' : '\n\n') + text
    else addTurn(history, content.role === 'model' ? 'model' : 'user', text)
  }
  if (newestFrom > 0 && newestFrom === request.contents.length) newest = 'Go on with your last message where it ends.'
  if (newest === '' && files.length > 0) newest = 'See the attached files.'
  newest += suffix
  const systemText = system.filter((text) => text !== '').join('\n\n')
  if (newest.trim() === '' && systemText === '' && history.length === 0) {
    throw new GenerationError('invalid_request', 'The request holds no text and no file. Add a text part.', {
      field: 'contents',
    })
  }
  if (systemText === '' && history.length === 0) return { prompt: checkSize(newest, promptLimitBytes), files }

  const marks = createMarks([systemText, newest, ...history.map((turn) => turn.text)])
  const systemTurns: Turn[] = systemText === '' ? [] : [{ speaker: 'system', text: systemText }]
  const whole = [GUIDE, marks.write([...systemTurns, ...history, { speaker: 'user', text: newest }])].join('\n\n')
  if (utf8Length(whole) <= promptLimitBytes) return { prompt: whole, files }

  const withSystem = [GUIDE_WITH_FILE, marks.write([...systemTurns, { speaker: 'user', text: newest }])].join('\n\n')
  const keepSystem = utf8Length(withSystem) <= promptLimitBytes
  const historyFile = marks.write(keepSystem ? history : [...systemTurns, ...history])
  const prompt = keepSystem
    ? withSystem
    : [GUIDE_WITH_FILE, marks.write([{ speaker: 'user', text: newest }])].join('\n\n')
  checkSize(prompt, promptLimitBytes)
  const bytes = utf8Length(historyFile)
  if (bytes > attachedLimitBytes) {
    throw new GenerationError(
      'too_large',
      `The conversation has ${bytes} bytes of history, and the web app reads ${attachedLimitBytes} beside the prompt. Drop or summarise old turns.`,
      { field: 'contents', upstreamCode: 'context_length' },
    )
  }
  return { prompt, historyFile, files }
}

const GUIDE =
  'Lines between dashes tell who speaks in this conversation. Answer the last message of the user, and do not write such lines yourself.'
const GUIDE_WITH_FILE = `The attached file ${HISTORY_FILE_NAME} holds the conversation so far; read all of it first. Lines between dashes tell who speaks. Answer the message of the user below, and do not write such lines yourself.`

function checkSize(prompt: string, limit: number): string {
  const bytes = utf8Length(prompt)
  if (bytes <= limit) return prompt
  throw new GenerationError(
    'too_large',
    `The newest message has ${bytes} bytes, and the web app reads ${limit}. Shorten it, or attach its long part as a file.`,
    { field: 'contents', upstreamCode: 'context_length' },
  )
}

/** Index of the first content after the last one of the model; without one, everything is one question. */
function findNewest(contents: readonly Content[]): number {
  for (let index = contents.length - 1; index >= 0; index--) if (contents[index]?.role === 'model') return index + 1
  return 0
}

function addTurn(turns: Turn[], speaker: Speaker, text: string): void {
  const last = turns.at(-1)
  if (text === '') return
  if (last?.speaker === speaker) last.text += `\n\n${text}`
  else turns.push({ speaker, text })
}

function readText(content: Content | undefined, field: string, files: RequestFile[], newest: boolean): string {
  const pieces: string[] = []
  for (const [index, part] of (content?.parts ?? []).entries()) {
    const piece = readPart(part, `${field}.parts[${index}]`, files, newest)
    if (piece !== '') pieces.push(piece)
  }
  return pieces.join('\n')
}

function readPart(part: Part, field: string, files: RequestFile[], newest: boolean): string {
  if (part.thought === true) return ''
  if (part.text !== undefined) return part.text
  if (part.functionCall !== undefined) {
    return `[call of ${part.functionCall.name}: ${JSON.stringify(part.functionCall.args ?? {})}]`
  }
  if (part.functionResponse !== undefined) {
    return `[result of ${part.functionResponse.name}: ${JSON.stringify(part.functionResponse.response)}]`
  }
  if (part.executableCode !== undefined) {
    return `\`\`\`${(part.executableCode.language ?? '').toLowerCase()}\n${part.executableCode.code ?? ''}\n\`\`\``
  }
  if (part.codeExecutionResult !== undefined) return `\`\`\`\n${part.codeExecutionResult.output ?? ''}\n\`\`\``
  if (part.inlineData !== undefined || part.fileData !== undefined) return addFile(part, field, files, newest)
  return ''
}

/** The page itself understands these links. */
const WATCH_LINK = /^https:\/\/(www\.youtube\.com\/watch\?|youtu\.be\/)/

function addFile({ inlineData, fileData }: Part, field: string, files: RequestFile[], newest: boolean): string {
  if (fileData !== undefined && WATCH_LINK.test(fileData.fileUri)) return fileData.fileUri
  const stem = `file-${files.length + 1}`
  const mimeType = inlineData?.mimeType ?? fileData?.mimeType
  files.push({
    field: `${field}.${inlineData === undefined ? 'fileData' : 'inlineData'}`,
    stem,
    newest,
    ...(mimeType === undefined ? {} : { mimeType }),
    ...(inlineData === undefined ? {} : { data: inlineData.data }),
    ...(fileData === undefined ? {} : { uri: fileData.fileUri }),
  })
  return newest ? '' : `[attached: ${stem}]`
}

/** Marks that no text of the request contains. */
function createMarks(texts: readonly string[]): { write(turns: readonly Turn[]): string } {
  let dashes = '---'
  while (texts.some((text) => new RegExp(`^${dashes} (system|user|model) ${dashes}$`, 'm').test(text))) dashes += '-'
  return {
    write: (turns) => turns.map(({ speaker, text }) => `${dashes} ${speaker} ${dashes}\n${text}`).join('\n\n'),
  }
}
