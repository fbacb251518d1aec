import {
  MODEL_HEADER,
  readModelHeader,
  readPromptForm,
  trailerEntries,
  type ReadPrompt,
} from '@castorjs/gemini-web-protocol'
import type { AttachedFile } from './answers/answer.ts'
import { pause } from './clock.ts'
import { asGuest, callerName, counterCookies, identify, takeFault, type Caller, type Exchange } from './exchange.ts'
import { isKnownModelId } from './models.ts'
import { playTurn, refusalOf } from './play.ts'
import type { Chat } from './profile.ts'
import { isFramed, JSON_TYPE, respond, respondError, respondFault, streamBody } from './respond.ts'
import { frameOf } from './snapshots.ts'
import { prepareTurn } from './turn.ts'
import { readAsText } from './uploads.ts'
import { writeFrames } from './write-frames.ts'

/** StreamGenerate: all checks of fact sheet §13.1 in the order of the service, then the answer. */
export async function generate(exchange: Exchange, accountIndex: number): Promise<Response> {
  const { world, request, log, signal } = exchange
  const { settings } = world
  const refused = checkForm(exchange)
  if (refused !== undefined) return refused
  const form = readPromptForm(await request.text())
  if (settings.log.secrets && form.token !== undefined) log.token = form.token
  const known = identify(exchange, accountIndex)
  log.caller = known.verdict === 'ok' || known.verdict === 'guest' ? callerName(known) : `guest (${known.verdict})`
  const modelHeader = request.headers.get(MODEL_HEADER)
  if (modelHeader !== null) log.modelHeader = modelHeader
  if (form.prompt !== undefined) log.inner = form.prompt.slots
  const header = modelHeader === null ? undefined : readModelHeader(modelHeader)
  const fault = takeFault(exchange, {
    place: 'generate',
    account: callerName(known),
    ...(header === undefined ? {} : { model: header.modelId }),
  })
  const caller = fault?.kind === 'downgrade' ? asGuest(exchange) : known

  await pause(settings.latency.firstByte, signal)
  const broken = respondFault(exchange, fault)
  if (broken !== undefined) return broken
  if (form.prompt === undefined) return respondError(exchange, 400, 3)
  const stale = checkToken(exchange, caller, form.token)
  if (stale !== undefined) return stale

  const refuse = (code: number): Response => respondRefusal(exchange, caller, code)
  if (modelHeader !== null && (header === undefined || !isKnownModelId(header.modelId))) return refuse(1052)
  const files = findFiles(exchange, form.prompt, caller)
  if (typeof files === 'number') return refuse(files)
  const chat = findChat(form.prompt, caller, header?.modelId)
  if (typeof chat === 'number') return refuse(chat)

  const performance = prepareTurn(exchange, { prompt: form.prompt, caller, files, chat, header, fault })
  const body = streamBody(exchange, writeFrames(playTurn(performance), isFramed(exchange)), fault)
  return respond(exchange, body, {
    type: JSON_TYPE,
    headers: {
      'content-disposition': `attachment; filename="response.bin"; filename*=UTF-8''response.bin`,
      server: 'ESF',
      'x-content-type-options': 'nosniff',
    },
    setCookies: counterCookies(caller.account),
  })
}

/** Method, content type and user agent of both POST endpoints. */
export function checkForm(exchange: Exchange): Response | undefined {
  const { request, world, log } = exchange
  if (request.method !== 'POST') return respondError(exchange, 405, 9)
  if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers.get('content-type') ?? ''))
    return respondError(exchange, 400, 3)
  if ((request.headers.get('user-agent') ?? '') === '') {
    if (world.settings.checks.userAgent === 'refuse') return respondError(exchange, 400, 3)
    if (world.settings.checks.userAgent === 'warn')
      log.warnings.push('There is no User-Agent; guests without one got HTTP 400')
  }
  return undefined
}

/** A signed-in POST without a good token gets 400 with one that works. */
export function checkToken(
  exchange: Exchange,
  { account, profile }: Caller,
  token: string | undefined,
): Response | undefined {
  const { world } = exchange
  if (account === undefined || !world.settings.checks.token) return undefined
  if (token !== undefined && world.accounts.acceptsToken(account, profile, token, world.settings.tokenLifeMs))
    return undefined
  return respondError(exchange, 400, 3, {
    xsrfToken: world.accounts.issueToken(account, profile),
    accountNumber: profile.accountNumber,
    setCookies: counterCookies(account),
  })
}

function respondRefusal(exchange: Exchange, caller: Caller, code: number): Response {
  async function* frames(): AsyncGenerator<ReturnType<typeof frameOf>> {
    yield frameOf([refusalOf({ code })])
    yield frameOf(trailerEntries({ ms: 80, nonce: exchange.world.ids.signed(), small: 35 }))
  }
  const body = streamBody(exchange, writeFrames(frames(), isFramed(exchange)), undefined)
  return respond(exchange, body, { type: JSON_TYPE, setCookies: counterCookies(caller.account) })
}

/** The attached files, or the code of their refusal. */
function findFiles({ world }: Exchange, prompt: ReadPrompt, caller: Caller): AttachedFile[] | number {
  if (prompt.files.length === 0) return []
  if (caller.account === undefined) return 1100
  const files: AttachedFile[] = []
  let textBytes = 0
  for (const { reference, name, mimeType } of prompt.files) {
    const upload = world.uploads.find(reference, world.settings.uploadLifeMs)
    if (upload === undefined) return 1003
    const seen = {
      name: name ?? upload.name,
      mimeType: upload.mimeType === 'application/octet-stream' ? (mimeType ?? upload.mimeType) : upload.mimeType,
      bytes: upload.bytes,
    }
    const text = readAsText(seen)
    textBytes += text === undefined ? 0 : upload.bytes.byteLength
    files.push({ ...seen, ...(text === undefined ? {} : { text }) })
  }
  // Too much text is not read at all, however it is split. Source: fact sheet §7.3.
  if (textBytes <= world.settings.limits.attachmentBytes) return files
  return files.map((file) =>
    file.text === undefined ? file : { ...file, text: '(This file is too long to be read.)' },
  )
}

/** The chat that goes on, undefined for a new one, or the code of a refusal. */
function findChat(
  { continuation }: ReadPrompt,
  { profile, account, known }: Caller,
  modelId: string | undefined,
): Chat | undefined | number {
  if (continuation === undefined) return undefined
  const chat = profile.chats.get(continuation.chatId)
  if (chat === undefined) {
    // A guest who comes without cookies starts anew every time. Source: fact sheet §1.7.
    if (account === undefined) return known ? 1096 : undefined
    return 1097
  }
  if (modelId !== undefined && chat.modelId !== undefined && modelId !== chat.modelId) return 1050
  return chat
}
