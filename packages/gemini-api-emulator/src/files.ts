import type { KnownFile } from './rules/media.ts'
import { invalid, RpcError } from './rpc-error.ts'
import { isObject } from './strict/message.ts'
import { jsonResponse } from './wire.ts'

interface StoredFile extends KnownFile {
  displayName?: string
  sizeBytes: number
  uri: string
  /** Polls until it is ACTIVE. */
  pollsLeft: number
  createTime: string
}

interface Upload {
  project: string
  version: string
  mimeType: string
  displayName: string | undefined
  declared: number | undefined
  received: number
}

/** The Files API with resumable upload. Bytes are counted, never kept. Source: `gemini-api.md` section 7. */
export interface FileStore {
  find: (id: string) => KnownFile | undefined
  /** `POST /upload/{version}/files`, both steps. */
  upload(request: Request, url: URL, project: string, version: string): Promise<Response>
  /** `GET` and `DELETE` of `files` and `files/{id}`. */
  serve(method: string, id: string, project: string, version: string): Response
}

export function createFileStore({
  processingPolls,
  maxFileBytes,
}: {
  processingPolls: number
  maxFileBytes: number
}): FileStore {
  const files = new Map<string, StoredFile>()
  const uploads = new Map<string, Upload>()
  let count = 0

  async function start(request: Request, url: URL, project: string, version: string): Promise<Response> {
    const body: unknown = await request.json().catch(() => ({}))
    const file = isObject(body) && isObject(body.file) ? body.file : {}
    const { headers } = request
    if (headers.get('x-goog-upload-protocol') !== 'resumable') {
      throw invalid('Only the resumable upload protocol is emulated.')
    }
    const declared = headers.get('x-goog-upload-header-content-length')
    if (declared !== null && Number(declared) > maxFileBytes)
      throw invalid(`File is too large; the limit is ${maxFileBytes} bytes.`)
    const id = `upload-${++count}`
    const named = typeof file.mimeType === 'string' ? file.mimeType : undefined
    const mimeType = named ?? headers.get('x-goog-upload-header-content-type') ?? 'application/octet-stream'
    uploads.set(id, {
      project,
      version,
      mimeType,
      displayName: typeof file.displayName === 'string' ? file.displayName : undefined,
      declared: declared === null ? undefined : Number(declared),
      received: 0,
    })
    const uploadUrl = `${url.origin}${url.pathname}?upload_id=${id}&upload_protocol=resumable`
    return new Response(null, {
      headers: {
        'x-goog-upload-url': uploadUrl,
        'x-goog-upload-status': 'active',
        'x-goog-upload-chunk-granularity': '262144',
      },
    })
  }

  async function receive(request: Request, url: URL, id: string): Promise<Response> {
    const upload = uploads.get(id)
    if (upload === undefined) throw new RpcError(404, 'NOT_FOUND', 'Upload not found.')
    const command = request.headers.get('x-goog-upload-command') ?? ''
    if (command === 'query') {
      return new Response(null, {
        headers: { 'x-goog-upload-status': 'active', 'x-goog-upload-size-received': String(upload.received) },
      })
    }
    if (Number(request.headers.get('x-goog-upload-offset') ?? '0') !== upload.received) {
      throw invalid(`Upload offset does not match; ${upload.received} bytes were received.`)
    }
    if (command.includes('upload') && request.body !== null) {
      for await (const chunk of request.body) upload.received += chunk.byteLength
    }
    if (upload.received > maxFileBytes) throw invalid(`File is too large; the limit is ${maxFileBytes} bytes.`)
    if (!command.includes('finalize')) return new Response(null, { headers: { 'x-goog-upload-status': 'active' } })
    if (upload.declared !== undefined && upload.declared !== upload.received) {
      throw invalid(`Upload size mismatch: declared ${upload.declared}, received ${upload.received} bytes.`)
    }
    uploads.delete(id)
    return jsonResponse({ file: describe(create(upload, url.origin)) }, 200, { 'x-goog-upload-status': 'final' })
  }

  function create(upload: Upload, origin: string): StoredFile {
    const id = `emulated${++count}`
    const processing = upload.mimeType.startsWith('video/') && processingPolls > 0
    const file: StoredFile = {
      name: `files/${id}`,
      project: upload.project,
      mimeType: upload.mimeType,
      sizeBytes: upload.received,
      uri: `${origin}/${upload.version}/files/${id}`,
      state: processing ? 'PROCESSING' : 'ACTIVE',
      pollsLeft: processing ? processingPolls : 0,
      createTime: new Date().toISOString(),
      ...(upload.displayName === undefined ? {} : { displayName: upload.displayName }),
    }
    files.set(id, file)
    return file
  }

  return {
    find: (id) => files.get(id),
    upload(request, url, project, version) {
      const id = url.searchParams.get('upload_id')
      return id === null ? start(request, url, project, version) : receive(request, url, id)
    },
    serve(method, id, project) {
      if (id === '') {
        const own = [...files.values()].filter((file) => file.project === project)
        return jsonResponse(own.length === 0 ? {} : { files: own.map(describe) })
      }
      const file = files.get(id)
      if (file === undefined || file.project !== project) {
        const message = `You do not have permission to access the File ${id} or it may not exist.`
        throw new RpcError(403, 'PERMISSION_DENIED', message)
      }
      if (method === 'DELETE') {
        files.delete(id)
        return jsonResponse({})
      }
      if (file.pollsLeft > 0 && --file.pollsLeft === 0) file.state = 'ACTIVE'
      return jsonResponse(describe(file))
    },
  }
}

function describe(file: StoredFile): Record<string, unknown> {
  const { name, mimeType, uri, state, createTime } = file
  const displayName = file.displayName === undefined ? {} : { displayName: file.displayName }
  const expirationTime = new Date(Date.parse(file.createTime) + 48 * 3_600_000).toISOString()
  const times = { createTime, updateTime: createTime, expirationTime }
  return { name, ...displayName, mimeType, sizeBytes: String(file.sizeBytes), ...times, uri, state, source: 'UPLOADED' }
}
