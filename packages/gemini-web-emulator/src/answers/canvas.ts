import type { Answer, Question } from './answer.ts'
import { shorten } from './text.ts'

/** A canvas document: a page for anything that sounds like one, else prose. A follow-up gives the document again as a whole. */
export function composeCanvas({ history }: Question, last: string): Answer {
  const wishes = [...history.filter((turn) => turn.extra?.kind === 'canvas').map((turn) => turn.prompt), last]
  const first = wishes[0] as string
  const title = shorten(first.replace(/[.:,;!?]+$/, ''), 60)
  if (/\b(?:page|html|app|game|website|timer|calculator|code|script)\b/i.test(first)) {
    const steps = wishes.map((wish) => `  <p>${escapeHtml(shorten(wish))}</p>`).join('\n')
    const html = `<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>${escapeHtml(title)}</title></head>\n<body>\n  <h1>${escapeHtml(title)}</h1>\n${steps}\n</body>\n</html>`
    return canvasAnswer(title, { file: 'index.html', title, content: `\`\`\`html\n${html}\n\`\`\``, language: 'html' })
  }
  const sections = wishes.map(
    (wish, index) => `## ${index + 1}. ${shorten(wish, 80)}\n\nThis part says what was asked for: ${shorten(wish)}`,
  )
  return canvasAnswer(title, { file: 'document.md', title, content: `# ${title}\n\n${sections.join('\n\n')}\n` })
}

function canvasAnswer(
  title: string,
  document: { file: string; title: string; content: string; language?: string },
): Answer {
  return {
    title,
    text: `I put it into a document.\n\nhttp://googleusercontent.com/immersive_entry_chip/0\n\nTell me what to change.`,
    extra: { kind: 'canvas', document },
  }
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
