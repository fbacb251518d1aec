import { GenerationError, readBody, readJson } from '@castorjs/content-generator'

/** A body with files, however it was sent. */
export interface ImageForm {
  /** JSON values, or the texts of a multipart form. */
  fields: Record<string, unknown>
  /** Files of a multipart form, in order, each with the name of its field. */
  files: { field: string; file: Blob }[]
}

/**
 * Reads JSON or `multipart/form-data`.
 *
 * @throws {GenerationError} `too_large` past the limit, `invalid_request` when it is neither.
 */
export async function readImageForm(request: Request, { maxBytes }: { maxBytes: number }): Promise<ImageForm> {
  const type = request.headers.get('content-type') ?? ''
  // Anything else is JSON: `curl -d` calls it a urlencoded form.
  if (!/^multipart\/form-data\b/i.test(type)) {
    return { fields: (await readJson(request, { maxBytes })) as Record<string, unknown>, files: [] }
  }
  const bytes = await readBody(request, { maxBytes })
  let form: FormData
  try {
    form = await new Response(bytes as Uint8Array<ArrayBuffer>, { headers: { 'content-type': type } }).formData()
  } catch {
    throw new GenerationError(
      'invalid_request',
      'The body is not a valid multipart form; let your client write the `content-type` with its boundary.',
    )
  }
  // Names are a stranger's: no prototype to meet.
  const fields = Object.create(null) as Record<string, unknown>
  const files: ImageForm['files'] = []
  for (const [name, value] of form) {
    if (typeof value !== 'string') {
      files.push({ field: name, file: value })
      continue
    }
    // `image[]` may also hold URLs; one name, one list.
    const field = name.replace(/\[\d*\]$/, '')
    const known = fields[field]
    fields[field] = known === undefined ? value : [...(Array.isArray(known) ? (known as unknown[]) : [known]), value]
  }
  return { fields, files }
}
