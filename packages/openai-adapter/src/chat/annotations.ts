import type { GroundingMetadata } from '@castorjs/content-generator'

/** `start_index` and `end_index` count UTF-16 units of the answer, as JavaScript does. */
export interface Annotation {
  type: 'url_citation'
  url_citation: { start_index: number; end_index: number; title: string; url: string }
}

/** Collects the sources of an answer while its text passes by. */
export interface AnnotationReader {
  /** Text of the answer as it is handed out; `own` when we put it there and the upstream does not count it. */
  pass(text: string, own?: boolean): void
  cite(url: string, title: string | undefined): void
  ground(metadata: GroundingMetadata): void
  finish(): Annotation[]
}

/**
 * @param keepText Whether to remember the text: only then can places in it, which Google gives as UTF-8 bytes,
 * be found again. Without it sources are listed without a place.
 */
export function createAnnotationReader({ keepText }: { keepText: boolean }): AnnotationReader {
  const pieces: string[] = []
  const insertions: { at: number; length: number }[] = []
  const cited: { url: string; title: string | undefined; at: number }[] = []
  let upstreamLength = 0
  let length = 0
  let grounding: GroundingMetadata | undefined

  return {
    pass(text, own = false) {
      length += text.length
      if (own) {
        insertions.push({ at: upstreamLength, length: text.length })
        return
      }
      upstreamLength += text.length
      if (keepText) pieces.push(text)
    },
    cite(url, title) {
      if (!cited.some((known) => known.url === url)) cited.push({ url, title, at: length })
    },
    ground(metadata) {
      grounding = metadata
    },
    finish() {
      const annotations = cited.map(({ url, title, at }) => annotate(url, title, at, at))
      if (grounding === undefined) return annotations
      const sources = (grounding.groundingChunks ?? []).map((chunk) => chunk.web)
      const supports = keepText ? (grounding.groundingSupports ?? []) : []
      if (supports.length === 0) {
        for (const source of sources) {
          if (source?.uri !== undefined) annotations.push(annotate(source.uri, source.title, length, length))
        }
        return annotations
      }
      const places = createPlaces(pieces.join(''))
      const shift = (index: number) =>
        insertions.reduce((moved, { at, length: added }) => (at <= index ? moved + added : moved), index)
      for (const { segment, groundingChunkIndices = [] } of supports) {
        const { start, end } = places.find(segment?.startIndex ?? 0, segment?.endIndex ?? 0, segment?.text)
        for (const index of groundingChunkIndices) {
          const source = sources[index]
          if (source?.uri !== undefined) {
            annotations.push(annotate(source.uri, source.title, shift(start), shift(end)))
          }
        }
      }
      return annotations
    },
  }
}

function annotate(url: string, title: string | undefined, start: number, end: number): Annotation {
  return { type: 'url_citation', url_citation: { start_index: start, end_index: end, title: title ?? url, url } }
}

/** Finds places given in UTF-8 bytes. Source: `dialects.md` row 61. */
function createPlaces(text: string) {
  // Byte offset of each UTF-16 index: one pass over the text, however many places are asked for.
  const bytes = new Uint32Array(text.length + 1)
  for (let index = 0, at = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    // Each half of a surrogate pair stands for two of the four bytes.
    at += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3
    bytes[index + 1] = at
  }

  function indexOf(byte: number): number {
    let low = 0
    let high = text.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((bytes[middle] ?? 0) < byte) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    find(startByte: number, endByte: number, quoted: string | undefined): { start: number; end: number } {
      const start = indexOf(startByte)
      const end = indexOf(endByte)
      if (quoted === undefined || text.slice(start, end) === quoted) return { start, end }
      // The upstream counts within a part of its own; what it quotes says where.
      const found = text.indexOf(quoted)
      return found === -1 ? { start, end } : { start: found, end: found + quoted.length }
    },
  }
}
