import { buildVideoEnvelope, DOWNLOAD_COOKIES, readImageSize } from '@castorjs/gemini-web-protocol'
import type { Asset } from './assets.ts'
import { pause } from './clock.ts'
import { SESSION_COOKIE } from './cookies.ts'
import { counterCookies, takeFault, type Exchange } from './exchange.ts'
import { throughEmulator } from './locate.ts'
import type { Media } from './media/media.ts'
import { redirect, REDIRECTS, respond, respondFault, respondThrough, TEXT_TYPE } from './respond.ts'

/** The three download hosts: pictures over signed hops, video and music directly. Source: fact sheet §8.3, §8.4, §9.5. */
export async function downloadHost(exchange: Exchange, media: Media): Promise<Response> {
  const { world, request, place, log, signal, url } = exchange
  const fault = takeFault(exchange, { place: 'download', account: ownerOf(exchange) ?? 'guest' })
  log.caller = ownerOf(exchange) ?? 'guest'
  await pause(world.settings.latency.download, signal)
  const broken = respondFault(exchange, fault)
  if (broken !== undefined) return broken
  if (request.method !== 'GET' && request.method !== 'HEAD') return respond(exchange, '', { status: 405 })
  const [, folder = '', rest = ''] = /^\/([\w-]+)(?:\/([^=]*))?/.exec(place.path) ?? []
  if (place.host === 'contribution.usercontent.google.com') {
    return folder === 'download'
      ? mediaFile(exchange, media, fault, url.searchParams.get('c') ?? '')
      : notFound(exchange)
  }
  if (folder === 'rd-gg-dl') return hop(exchange, media, fault, rest)
  return folder === 'gg' || folder === 'gg-dl' ? firstHop(exchange, rest) : notFound(exchange)
}

function notFound(exchange: Exchange): Response {
  return respond(exchange, 'Not found', { status: 404, type: TEXT_TYPE })
}

/** Name of the account whose session the cookies hold. */
function ownerOf({ world, cookies }: Exchange): string | undefined {
  return world.accounts.bySession(cookies.get(SESSION_COOKIE))?.name
}

/** Good cookies are the owner's, without any host-only ones. */
function mayDownload(exchange: Exchange, asset: Asset): boolean {
  if (!exchange.world.settings.checks.downloadCookies) return true
  if (ownerOf(exchange) !== asset.owner.split('/')[0]) return false
  return [...exchange.cookies.keys()].every(
    (name) => DOWNLOAD_COOKIES.has(name) || !/^(?:OSID|LSID|COMPASS|__Host-.*)$/.test(name),
  )
}

function refuse(exchange: Exchange): Response {
  if (exchange.world.settings.downloadRefusal === 'sign-in') return redirect(exchange, REDIRECTS['sign-in'])
  return respond(exchange, 'Forbidden', { status: 403, type: TEXT_TYPE })
}

function accountCookies(exchange: Exchange): string[] {
  return counterCookies(exchange.world.accounts.bySession(exchange.cookies.get(SESSION_COOKIE)))
}

/** The address of a picture leads to a signed hop, as a redirect or, for originals, as text. */
function firstHop(exchange: Exchange, assetId: string): Response {
  const asset = exchange.world.assets.find(assetId)
  if (asset === undefined) return notFound(exchange)
  if (!mayDownload(exchange, asset)) return refuse(exchange)
  const option = readImageSize(exchange.url.href) ?? ''
  return leadOn(exchange, 'work.fife.usercontent.google.com', asset.id, option.startsWith('d-I') ? 's0-d-I' : option)
}

/** A signed address works once: on the hop host it leads back to the picture host, there it is the file. */
async function hop(
  exchange: Exchange,
  media: Media,
  fault: ReturnType<typeof takeFault>,
  token: string,
): Promise<Response> {
  const { world, place } = exchange
  const target = world.assets.redeem(token)
  const asset = target === undefined ? undefined : world.assets.find(target.assetId)
  if (target === undefined || asset === undefined || !mayDownload(exchange, asset)) return refuse(exchange)
  if (place.host !== 'lh3.googleusercontent.com')
    return leadOn(exchange, 'lh3.googleusercontent.com', asset.id, target.option)
  const { bytes, mimeType } = await media.picture(asset, target.option)
  return respondThrough(exchange, bytes, fault, {
    type: mimeType,
    headers: target.option.endsWith('-d-I')
      ? { 'content-disposition': `attachment; filename="Gemini_Generated_Image_${asset.id.slice(2, 16)}.png"` }
      : {},
    setCookies: accountCookies(exchange),
  })
}

function leadOn(exchange: Exchange, host: string, assetId: string, option: string): Response {
  const { world, url } = exchange
  const asText = url.searchParams.get('alr') === 'yes'
  const token = world.assets.sign({ assetId, option })
  const target = `https://${host}/rd-gg-dl/${token}${option === '' ? '' : `=${option}`}${asText ? '?alr=yes' : ''}`
  const location = world.settings.links === 'loopback' ? throughEmulator(target, url.origin) : target
  return asText
    ? respond(exchange, location, { type: TEXT_TYPE, setCookies: accountCookies(exchange) })
    : redirect(exchange, location, accountCookies(exchange))
}

/** Video, music and captions; 206 until the file is ready. */
async function mediaFile(
  exchange: Exchange,
  media: Media,
  fault: ReturnType<typeof takeFault>,
  parameter: string,
): Promise<Response> {
  const { world } = exchange
  const content = decodeParameter(parameter)
  const asset = content.startsWith('response_data/')
    ? world.assets.find(content.slice('response_data/'.length))
    : undefined
  if (asset === undefined || !mayDownload(exchange, asset)) return refuse(exchange)
  if (world.clock.now() < asset.readyMs) return respond(exchange, '', { status: 206, type: 'application/octet-stream' })
  const { bytes, mimeType } = await media.file(asset)
  const wrapped = world.settings.videoEnvelope && asset.kind === 'video'
  return respondThrough(exchange, wrapped ? buildVideoEnvelope({ data: bytes, mimeType }) : bytes, fault, {
    type: wrapped ? 'application/protobuf' : mimeType,
    headers: { 'content-disposition': `attachment; filename="${asset.name.replace(/[^\w.-]/g, '_')}"` },
    setCookies: accountCookies(exchange),
  })
}

function decodeParameter(parameter: string): string {
  try {
    return atob(parameter)
  } catch {
    return ''
  }
}
