/** What an answer holds besides text, as Markdown: chat clients show nothing else. */

/** A piece of code the model wrote and ran, as a fenced block. */
export function renderCode(language: string, code: string): string {
  return fenced(language.toLowerCase(), code)
}

/** What the code printed. */
export function renderCodeResult(outcome: string, output: string): string {
  const text = fenced('output', output === '' ? outcome : output)
  return outcome === 'OUTCOME_OK' || output === '' ? text : `\n${outcome}:${text}`
}

function fenced(info: string, text: string): string {
  let fence = '```'
  while (text.includes(fence)) fence += '`'
  return `\n${fence}${info}\n${text.replace(/\n$/, '')}\n${fence}\n`
}

/** A picture is shown, anything else is linked to. */
export function renderMedia(mimeType: string, url: string): string {
  if (mimeType.startsWith('image/')) return `\n![image](${url})\n`
  return `\n[${mimeType.split('/')[0] ?? 'file'}](${url})\n`
}
