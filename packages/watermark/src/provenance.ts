/** Where the IPTC vocabulary says "made by a trained model". */
const AI_SOURCE_TYPE = 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia'

/** What a file's metadata says about itself. */
export interface Provenance {
  /** A C2PA action says that a visible mark was added. */
  declaresVisibleMark: boolean
  /** C2PA or XMP states a DigitalSourceType. */
  statesSourceType: boolean
  /** A C2PA store is present. */
  hasC2pa: boolean
}

/** Reads the metadata blocks of a file as text; C2PA is CBOR, in which strings stand as they are. */
export function readProvenance(c2pa: readonly Uint8Array[], xmp: readonly Uint8Array[]): Provenance {
  const latin = new TextDecoder('latin1')
  const claims = c2pa.map((block) => latin.decode(block)).join('')
  const packets = xmp.map((block) => latin.decode(block)).join('')
  return {
    declaresVisibleMark: /added visible watermark/i.test(claims),
    statesSourceType: /digitalSourceType/i.test(claims) || /DigitalSourceType/.test(packets),
    hasC2pa: c2pa.length > 0,
  }
}

/** A minimal XMP packet that states the source type, and nothing else. */
export function createXmpPacket(): string {
  return [
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>',
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">',
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">',
    `<Iptc4xmpExt:DigitalSourceType>${AI_SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>`,
    '</rdf:Description>',
    '</rdf:RDF>',
    '</x:xmpmeta>',
    '<?xpacket end="r"?>',
  ].join('\n')
}
