/** Byte order marks, and what Windows tools write behind them: PowerShell 5 makes UTF-16 of everything it saves with `>`. */
const UTF_16 = [
  { mark: [0xff, 0xfe], encoding: 'utf-16le' },
  { mark: [0xfe, 0xff], encoding: 'utf-16be' },
] as const

/** The text of a file or body: UTF-8, or UTF-16 where a byte order mark says so. Never throws. */
export function decodeImportText(bytes: Uint8Array): string {
  const found = UTF_16.find(({ mark }) => mark.every((byte, index) => bytes[index] === byte))
  return new TextDecoder(found?.encoding).decode(bytes)
}
