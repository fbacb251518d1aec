import {
  buildErrorPage,
  buildUploadStartReply,
  DEFAULT_PUSH_ID,
  readResumableStartBody,
  readUploadRequest,
  UPLOAD_TENANT,
} from '@castorjs/gemini-web-protocol'
import { pause } from './clock.ts'
import { callerName, counterCookies, identify, takeFault, type Exchange } from './exchange.ts'
import { throughEmulator } from './locate.ts'
import { PUSH_ID } from './page.ts'
import { HTML_TYPE, respond, respondFault, respondThrough, TEXT_TYPE } from './respond.ts'
import { typeByName } from './uploads.ts'

/** Both upload hosts: resumable and multipart. No account is needed. Source: fact sheet §7. */
export async function uploadHost(exchange: Exchange): Promise<Response> {
  const { world, request, place, log, signal } = exchange
  const caller = identify(exchange)
  log.caller = callerName(caller)
  const fault = takeFault(exchange, { place: 'upload', account: log.caller })
  await pause(world.settings.latency.upload, signal)
  const broken = respondFault(exchange, fault)
  if (broken !== undefined) return broken
  if (!/^\/upload\/?$/.test(place.path)) return refuse(exchange, 404, 'Not Found')
  if (request.method !== 'POST' && request.method !== 'PUT') return refuse(exchange, 405, 'Method Not Allowed')
  const upload = readUploadRequest((name) => request.headers.get(name))
  const step = { ...upload, setCookies: counterCookies(caller.account) }
  const { pushId } = world.settings.checks
  const known = upload.pushId === PUSH_ID || upload.pushId === DEFAULT_PUSH_ID
  // The second step of a resumable upload is known by its URL.
  if (pushId && upload.command !== 'upload' && (!known || upload.tenant !== UPLOAD_TENANT))
    return refuse(exchange, 400, 'Bad Request')
  if (upload.command === 'start') return start(exchange, step)
  const reference = upload.command === 'upload' ? await finish(exchange, step) : await storeForm(exchange)
  if (typeof reference !== 'string') return reference ?? refuse(exchange, 400, 'Bad Request')
  return respondThrough(exchange, reference, fault, {
    type: TEXT_TYPE,
    headers: { 'x-goog-upload-status': 'final' },
    setCookies: step.setCookies,
  })
}

interface Step {
  bytes?: number
  offset: number
  finalize: boolean
  setCookies: readonly string[]
}

async function start(exchange: Exchange, { bytes, setCookies }: Step): Promise<Response> {
  const { world, request, place, url } = exchange
  const announced = request.headers.get('x-goog-upload-header-content-type')
  const id = world.uploads.open({
    name: readResumableStartBody(await request.text()) ?? 'upload.bin',
    ...(bytes === undefined ? {} : { size: bytes }),
    ...(announced === null ? {} : { mimeType: announced }),
  })
  const target = `https://${place.host}/upload/?upload_id=${id}&upload_protocol=resumable`
  return respond(exchange, null, {
    headers: buildUploadStartReply(world.settings.links === 'loopback' ? throughEmulator(target, url.origin) : target),
    setCookies,
  })
}

async function finish(
  exchange: Exchange,
  { offset, finalize, setCookies }: Step,
): Promise<string | Response | undefined> {
  const { world, request, url } = exchange
  const id = url.searchParams.get('upload_id') ?? ''
  const bytes = new Uint8Array(await request.arrayBuffer())
  const open = world.uploads.pending(id)
  if (open === undefined || !world.uploads.append(id, bytes, offset)) return undefined
  if (!finalize) return respond(exchange, null, { headers: { 'x-goog-upload-status': 'active' }, setCookies })
  return world.uploads.finish(id, request.headers.get('content-type') ?? undefined)?.reference
}

async function storeForm({ world, request }: Exchange): Promise<string | undefined> {
  let form: FormData
  try {
    form = await request.formData()
  } catch {
    return undefined
  }
  const file = form.get('file')
  if (file === null || typeof file === 'string') return undefined
  const mimeType = file.type === '' || file.type === 'application/octet-stream' ? typeByName(file.name) : file.type
  return world.uploads.store({ name: file.name, mimeType, bytes: new Uint8Array(await file.arrayBuffer()) }).reference
}

function refuse(exchange: Exchange, status: number, reason: string): Response {
  return respond(exchange, buildErrorPage(status, reason), { status, type: HTML_TYPE })
}
