import { addUsage, toGenerationError, type Exchange, type Usage } from '@castorjs/content-generator'
import { encodeErrorBody } from '../errors.ts'
import type { FileFields } from '../file-fields.ts'
import type { OpenAIContext } from '../options.ts'
import { decodeImageRequest, type DecodedImageRequest } from './decode.ts'
import { draw, drawAll, type DrawingEvent, type Picture } from './draw.ts'
import { encodeImageEvent, encodeImages, encodePlainImages } from './encode.ts'
import { readImageForm } from './form.ts'

/** How a route takes and answers image requests. */
export interface ImageRoute {
  kind: 'generation' | 'edit'
  /**
   * `openai`: `{created, data}`; `plain`: `{images}` as the reference documents have it; `both` in one object.
   * A caller who sends their `response_type` gets `images` in any case.
   */
  answer: 'openai' | 'plain' | 'both'
}

/** The image routes, one function for all of them. */
export function createImageRoute({ kind, answer }: ImageRoute) {
  return async function serveImages(
    request: Request,
    exchange: Exchange,
    context: OpenAIContext,
    files: FileFields,
  ): Promise<Response> {
    const form = await readImageForm(request, { maxBytes: context.maxBodyBytes })
    const decoded = await decodeImageRequest(form, {
      defaultModel: context.defaultImageModel,
      needsImage: kind === 'edit',
      query: exchange.url.searchParams,
      files,
      ...(context.options.media === undefined ? {} : { media: context.options.media }),
    })
    exchange.describe({ model: decoded.request.model, stream: decoded.stream })
    for (const warning of decoded.warnings) exchange.warn(warning)
    if (decoded.stream && answer === 'openai') {
      return exchange.stream(encodeDrawing(decoded, kind, exchange, context), {
        encodeError: (error) =>
          `event: error\ndata: ${JSON.stringify(encodeErrorBody(toGenerationError(files.name(error))).body)}\n\n`,
      })
    }
    const { pictures, usage, failed } = await drawAll(context.generator, decoded, exchange.options)
    exchange.spend(usage)
    if (failed > 0) {
      exchange.warn({ setting: 'n', message: `${failed} of ${decoded.count} pictures could not be made.` })
    }
    warnAboutDelivery(pictures, decoded, exchange)
    const plain = answer === 'both' || form.fields['response_type'] != null ? encodePlainImages(pictures) : {}
    return exchange.json(
      answer === 'plain' ? encodePlainImages(pictures) : { ...encodeImages(pictures, usage, decoded), ...plain },
      { headers: usage.estimated ? { 'x-castor-usage': 'estimated' } : {} },
    )
  }
}

/** A picture is never lost for the way it was wanted: it comes the way there is. */
function warnAboutDelivery(pictures: readonly Picture[], { media }: DecodedImageRequest, exchange: Exchange): void {
  const wantsUrl = media.delivery === 'url'
  if (!pictures.some(({ url }) => (url === undefined) === wantsUrl)) return
  exchange.warn({
    setting: 'response_format',
    message: wantsUrl ? 'There is no store to serve URLs from; base64 was sent.' : 'Only a URL was to be had.',
  })
}

async function* encodeDrawing(
  decoded: DecodedImageRequest,
  kind: ImageRoute['kind'],
  exchange: Exchange,
  context: OpenAIContext,
): AsyncGenerator<string> {
  let partials = 0
  let usage: Usage | undefined
  for await (const event of drawTogether(decoded, exchange, context)) {
    if (event.type === 'draft') {
      if (partials < decoded.partialImages) {
        yield encodeImageEvent(kind, event.picture, decoded, { partialIndex: partials++ })
      }
      continue
    }
    usage = usage === undefined ? event.usage : addUsage(usage, event.usage)
    exchange.spend(usage)
    for (const picture of event.pictures) yield encodeImageEvent(kind, picture, decoded, { usage: event.usage })
  }
}

/** The events of all calls as they come. */
async function* drawTogether(
  decoded: DecodedImageRequest,
  exchange: Exchange,
  { generator }: OpenAIContext,
): AsyncGenerator<DrawingEvent> {
  const calls = Array.from({ length: decoded.count }, () => draw(generator, decoded, exchange.options))
  const next = (call: AsyncGenerator<DrawingEvent>) =>
    call.next().then(
      (result) => ({ call, result }),
      (error: unknown) => ({ call, error }),
    )
  const pending = new Map(calls.map((call) => [call, next(call)]))
  let drawn = 0
  let failure: unknown
  try {
    while (pending.size > 0) {
      const settled = await Promise.race(pending.values())
      pending.delete(settled.call)
      if ('error' in settled) {
        failure ??= settled.error
        continue
      }
      if (settled.result.done === true) continue
      pending.set(settled.call, next(settled.call))
      if (settled.result.value.type === 'done') drawn++
      yield settled.result.value
    }
  } finally {
    await Promise.all(calls.map((call) => call.return(undefined)))
  }
  if (drawn === 0) throw failure
}
