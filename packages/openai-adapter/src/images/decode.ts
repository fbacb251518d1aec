import {
  GenerationError,
  readMediaOptions,
  validate,
  type GenerateContentRequest,
  type MediaOptions,
  type Part,
  type Warning,
} from '@castorjs/content-generator'
import { bytesToBase64, toInlinePart } from '@castorjs/content-generator/media'
import { createFileFields, type FileFields } from '../file-fields.ts'
import { chooseImageConfig } from './aspect-ratio.ts'
import type { ImageForm } from './form.ts'
import { ImageRequestSchema, type ImageReference, type ImageRequestBody } from './schema.ts'

export interface DecodeImageOptions {
  /** Model where the request names none, or one of OpenAI's. */
  defaultModel: string
  /** True for edits. */
  needsImage?: boolean
  /** Query of the request: `return_origin_image`, `remove_watermark`, `size`, `response_type`. */
  query?: URLSearchParams
  /** What the operator does unless the caller says otherwise. */
  media?: MediaOptions
  files?: FileFields
}

/** An image request in the middle's words. */
export interface DecodedImageRequest {
  request: GenerateContentRequest
  media: MediaOptions
  /** How many pictures: the request is sent that many times. */
  count: number
  stream: boolean
  /** Most drafts to show before a picture is done. */
  partialImages: number
  /** What the answer repeats. */
  echo: { size?: string; quality?: string; background?: string }
  warnings: Warning[]
}

const MAX_IMAGES = 16
const MAX_PROMPT_CHARACTERS = 32_000

/**
 * Turns an image request into a `generateContent` request that asks for a picture.
 *
 * @throws {GenerationError} `invalid_request` or `unsupported`, naming the field.
 */
export async function decodeImageRequest(
  { fields, files: uploads }: ImageForm,
  {
    defaultModel,
    needsImage = false,
    query = new URLSearchParams(),
    media,
    files = createFileFields(),
  }: DecodeImageOptions,
): Promise<DecodedImageRequest> {
  const body = validate(ImageRequestSchema, fields)
  if (body.prompt.length > MAX_PROMPT_CHARACTERS) {
    throw new GenerationError('invalid_request', `\`prompt\` is longer than ${MAX_PROMPT_CHARACTERS} characters.`, {
      field: 'prompt',
    })
  }
  if (body.mask != null || uploads.some(({ field }) => field === 'mask')) {
    throw new GenerationError(
      'unsupported',
      '`mask` cannot be used: Gemini edits by words. Leave it out and say in the prompt what to change and where.',
      { field: 'mask' },
    )
  }
  const warnings: Warning[] = []
  const pictures = await decodePictures(body, uploads, files)
  if (needsImage && pictures.length === 0) {
    throw new GenerationError('invalid_request', '`image` is missing; send at least one picture to edit.', {
      field: 'image',
    })
  }
  const model = chooseModel(body.model, defaultModel, warnings)
  const wishes = { ...media, ...readMediaOptions(query, fields) }
  if (body.response_format != null) wishes.delivery = body.response_format === 'url' ? 'url' : 'inline'
  if (body.output_format != null) wishes.format = body.output_format === 'jpg' ? 'jpeg' : body.output_format

  let prompt = body.prompt
  if (body.background === 'transparent') {
    prompt += '\nThe background is transparent.'
    warnings.push({ setting: 'background', message: 'Transparency cannot be asked for; it was put into the prompt.' })
  }
  return {
    request: {
      model,
      contents: [{ role: 'user', parts: [...pictures, { text: prompt }] }],
      generationConfig: {
        responseModalities: ['TEXT', 'IMAGE'],
        ...chooseImageConfig(model, wishes.size, body.quality),
      },
    },
    media: wishes,
    count: body.n ?? 1,
    stream: body.stream === true,
    partialImages: body.partial_images ?? 0,
    echo: {
      ...(wishes.size === undefined ? {} : { size: `${wishes.size.width}x${wishes.size.height}` }),
      ...(body.quality == null ? {} : { quality: body.quality }),
      ...(body.background == null ? {} : { background: body.background }),
    },
    warnings,
  }
}

/** OpenAI's own names mean "the one that draws"; any other is looked up as it is. */
function chooseModel(wanted: string | null | undefined, fallback: string, warnings: Warning[]): string {
  if (wanted == null || wanted === '') return fallback
  if (!/^(?:dall-e|gpt-image|chatgpt-image)/.test(wanted)) return wanted
  warnings.push({ setting: 'model', message: `OpenAI's models are not here; ${fallback} draws instead.` })
  return fallback
}

async function decodePictures(body: ImageRequestBody, uploads: ImageForm['files'], files: FileFields): Promise<Part[]> {
  const references = [...list('image', body.image), ...list('images', body.images)]
  const pictures = uploads.filter(({ field }) => /^images?(?:\[\d*\])?$/.test(field))
  if (references.length + pictures.length > MAX_IMAGES) {
    throw new GenerationError('invalid_request', `\`image\`: at most ${MAX_IMAGES} pictures at a time.`, {
      field: 'image',
    })
  }
  const parts: Part[] = []
  for (const { field, file } of pictures) {
    const data = bytesToBase64(new Uint8Array(await file.arrayBuffer()))
    parts.push(requirePicture(await toInlinePart({ data, label: file.type, field }), field))
  }
  for (const { field, value } of references) parts.push(await decodeReference(value, field, files))
  return parts
}

function list(
  name: string,
  value: ImageReference | ImageReference[] | null | undefined,
): { field: string; value: ImageReference }[] {
  if (value == null) return []
  if (!Array.isArray(value)) return [{ field: name, value }]
  return value.map((item, index) => ({ field: `${name}[${index}]`, value: item }))
}

async function decodeReference(value: ImageReference, field: string, files: FileFields): Promise<Part> {
  const { text, where } = readReference(value, field)
  if (/^(?:https?|gs):\/\//i.test(text)) return files.remember(text, where)
  if (text.startsWith('data:') || (text.length > 64 && !/^\w+:/.test(text))) {
    return requirePicture(await toInlinePart({ data: text, field: where }), where)
  }
  throw new GenerationError(
    'invalid_request',
    `\`${where}\` must be a picture: an http(s) URL, or a data URL such as data:image/png;base64,….`,
    { field: where },
  )
}

function readReference(value: ImageReference, field: string): { text: string; where: string } {
  if (typeof value === 'string') return { text: value, where: field }
  if (typeof value.image_url === 'string') return { text: value.image_url, where: `${field}.image_url` }
  if (value.image_url != null) return { text: value.image_url.url, where: `${field}.image_url.url` }
  if (value.url != null) return { text: value.url, where: `${field}.url` }
  if (value.b64_json != null) return { text: `data:;base64,${value.b64_json}`, where: `${field}.b64_json` }
  const where = value.file_id == null ? field : `${field}.file_id`
  throw new GenerationError('unsupported', `\`${where}\`: no files are stored here. Send the picture or its URL.`, {
    field: where,
  })
}

function requirePicture(part: Part, field: string): Part {
  const mimeType = part.inlineData?.mimeType ?? ''
  if (mimeType.startsWith('image/')) return part
  throw new GenerationError('invalid_request', `\`${field}\` is not a picture but ${mimeType}.`, { field })
}
