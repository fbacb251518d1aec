import { pipeline } from 'node:stream'
import { constants, createBrotliDecompress, createInflate, createUnzip } from 'node:zlib'
import type { Transform } from 'node:stream'
import { TransportError, readSystemCode } from '../error.ts'
import { parseJson, readBytes } from '../read-body.ts'
import type { TransportResponse } from '../transport.ts'

/** Decoders that pass on what they have at each flush, and take a stream that ends early for what it is worth. */
const DECODERS: Record<string, () => Transform> = {
  gzip: () => createUnzip({ flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH }),
  'x-gzip': () => createUnzip({ flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH }),
  deflate: () => createInflate({ flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH }),
  br: () =>
    createBrotliDecompress({ flush: constants.BROTLI_OPERATION_FLUSH, finishFlush: constants.BROTLI_OPERATION_FLUSH }),
}

/** Undoes a `content-encoding` as Web fetch does, so that a client reads the same bytes from either transport. */
export function withDecodedBody(response: TransportResponse, host: string): TransportResponse {
  const createDecoder = DECODERS[response.header('content-encoding')?.trim().toLowerCase() ?? '']
  if (createDecoder === undefined) return response
  const body = decode(response.body, createDecoder(), host)
  const text = async (maxBytes?: number): Promise<string> => new TextDecoder().decode(await readBytes(body, maxBytes))
  return {
    status: response.status,
    header: (name) => response.header(name),
    setCookies: () => response.setCookies(),
    body,
    bytes: (maxBytes) => readBytes(body, maxBytes),
    text,
    json: async (maxBytes) => parseJson(await text(maxBytes)),
    discard: () => response.discard(),
  }
}

async function* decode(
  encoded: AsyncIterable<Uint8Array>,
  decoder: Transform,
  host: string,
): AsyncGenerator<Uint8Array> {
  const decoded: AsyncIterable<Uint8Array> = pipeline(encoded, decoder, () => undefined)
  try {
    yield* decoded
  } catch (error) {
    const systemCode = readSystemCode(error)
    if (systemCode?.startsWith('Z_') !== true && systemCode?.startsWith('ERR_') !== true) throw error
    throw new TransportError('network', `The reply of ${host} is not validly compressed`, { systemCode })
  }
}
