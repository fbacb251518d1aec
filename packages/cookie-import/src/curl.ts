import { addAll, readCookiePairs, type RawExport } from './cookie.ts'

/** True for what "Copy as cURL" puts on the clipboard, for bash or for cmd. */
export function looksLikeCurl(text: string): boolean {
  return /^(\$\s+)?curl(\.exe)?\s/i.test(text)
}

/** Reads "Copy as cURL" of Chrome, Edge, Firefox and Safari: the URL, `-H 'cookie: …'` and `-b …`. */
export function readCurl(text: string): RawExport {
  const words = isForCmd(text) ? splitCmd(text) : splitBash(text)
  const found: RawExport = { cookies: [], urls: [], authUsers: [] }
  for (let at = 1; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word === '-H' || word === '--header') readHeader(words[++at] ?? '', found)
    else if (/^-H./.test(word)) readHeader(word.slice(2), found)
    else if (/^-b./.test(word)) addAll(found.cookies, readCookiePairs(word.slice(2)))
    else if (word === '-b' || word === '--cookie') addAll(found.cookies, readCookiePairs(words[++at] ?? ''))
    else if (word === '--url') found.urls.push(words[++at] ?? '')
    else if (/^https?:\/\//.test(word)) found.urls.push(word)
    else if (TAKES_A_VALUE.has(word)) at++
  }
  return found
}

const TAKES_A_VALUE: ReadonlySet<string> = new Set([
  '-X',
  '--request',
  '-d',
  '--data',
  '--data-raw',
  '--data-binary',
  '--data-urlencode',
  '-A',
  '--user-agent',
  '-e',
  '--referer',
  '-x',
  '--proxy',
])

function readHeader(line: string, found: RawExport): void {
  const [, name = '', value = ''] = /^([\w-]+):\s*([\s\S]*)$/.exec(line) ?? []
  if (/^cookie$/i.test(name)) addAll(found.cookies, readCookiePairs(value))
  if (/^x-goog-authuser$/i.test(name)) found.authUsers.push(value)
}

/** The cmd form escapes with carets, also the line ends, and knows no single quotes; browsers' bash form has those only. */
function isForCmd(text: string): boolean {
  return /\^"|\^\r?\n/.test(text) || (!text.includes("'") && /\^[^\w\s]/.test(text))
}

function splitCmd(text: string): string[] {
  const plain = text.replace(/\^\r?\n\s*/g, ' ').replace(/\^([\s\S])/g, '$1')
  const words: string[] = []
  // What the C runtime of Windows makes of it: quotes, \" or "" for a quote and \\ for a backslash before one.
  // A paste that was cut ends inside of quotes: they end with the text then.
  for (const [, quoted, bare] of plain.matchAll(/"((?:\\[\s\S]|""|[^"\\])*)(?:"|$)|([^\s"]+)/g)) {
    words.push(quoted === undefined ? (bare ?? '') : quoted.replace(/\\(["\\])|"(")/g, '$1$2'))
  }
  return words
}

/** Words of a bash command: '…', "…", $'…' with its escapes, and backslashes outside of quotes. */
function splitBash(text: string): string[] {
  const words: string[] = []
  let word: string | undefined
  for (const [token, ansi, single, double, escaped, plain] of text.matchAll(BASH_TOKENS)) {
    if (/^(\s|\\\r?\n)/.test(token)) {
      if (word !== undefined) words.push(word)
      word = undefined
      continue
    }
    const piece =
      ansi !== undefined
        ? readAnsi(ansi)
        : (single ?? double?.replace(/\\([$`"\\])|\\\r?\n/g, '$1') ?? escaped ?? plain ?? '')
    word = (word ?? '') + piece
  }
  if (word !== undefined) words.push(word)
  return words
}

const BASH_TOKENS =
  /\\\r?\n|\s+|\$'((?:\\[\s\S]|[^'\\])*)'|'([^']*)'|"((?:\\[\s\S]|[^"\\])*)"|\\([\s\S])|([^\s'"\\$]+|\$)/g

const ANSI: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

function readAnsi(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{1,4})|x([0-9a-fA-F]{1,2})|([\s\S]))/g, (_, unicode, hex, one) => {
    const code = (unicode ?? hex) as string | undefined
    return code === undefined
      ? (ANSI[one as string] ?? (one as string))
      : String.fromCharCode(Number.parseInt(code, 16))
  })
}
