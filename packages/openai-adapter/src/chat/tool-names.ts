/** Names Gemini takes for functions, on every upstream. */
const LEGAL = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/

/** Names of tools in one request, there and back. */
export interface ToolNames {
  /** The name to send: the same one where it is legal, else a stable rename. */
  encode(name: string): string
  /** The caller's own name again. */
  decode(name: string): string
}

/**
 * Renames tools whose names Gemini refuses, such as `mcp.server/do it`: illegal characters become `_`, and six
 * hex digits of a hash keep two such names apart. The same name is always renamed alike, so a history written
 * days ago still matches. Source: `dialects.md` section 6.3, row 21.
 */
export function createToolNames(): ToolNames {
  const originals = new Map<string, string>()
  return {
    encode(name) {
      if (LEGAL.test(name)) return name
      const plain = name.replace(/[^A-Za-z0-9_-]/g, '_').replace(/^(?![A-Za-z_])/, '_')
      const safe = `${plain.slice(0, 57)}_${hash(name)}`
      originals.set(safe, name)
      return safe
    },
    decode: (name) => originals.get(name) ?? name,
  }
}

/** FNV-1a over the UTF-16 units, folded to 24 bits: enough to tell a few hundred tools apart. */
function hash(text: string): string {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  return (((value >>> 24) ^ value) & 0xffffff).toString(16).padStart(6, '0')
}
