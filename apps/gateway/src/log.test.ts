import { GenerationError, type Outcome } from '@castorjs/content-generator'
import { expect, it } from 'vitest'
import { createLog, logOutcome } from './log.ts'

const OUTCOME: Outcome = {
  requestId: 'r-1',
  dialect: 'openai',
  method: 'POST',
  path: '/v1/chat/completions',
  caller: 'laptop',
  traceparent: undefined,
  model: 'gemini-2.5-flash',
  served: { upstream: 'gemini-web', account: 'ada' },
  stream: false,
  status: 200,
  error: undefined,
  warnings: [],
  usage: undefined,
  media: 0,
  firstChunkMs: undefined,
  durationMs: 40.4,
}

function write(format: 'text' | 'json', more: Partial<Outcome>): string {
  const lines: string[] = []
  const log = createLog({ level: 'info', format }, { write: (line: string) => void lines.push(line) })
  logOutcome(log, '/', { ...OUTCOME, ...more })
  return lines.join('')
}

it('writes a line that a person reads', () => {
  expect(write('text', {}).replace(/^\S+ /, '')).toBe(
    'INFO  answered requestId=r-1 mount=/ dialect=openai path=/v1/chat/completions caller=laptop model=gemini-2.5-flash upstream=gemini-web account=ada stream=false status=200 durationMs=40\n',
  )
  const error = new GenerationError('aborted', 'The caller left.')
  expect(write('text', { status: 499, error })).toMatch(/ INFO {2}the caller left .* code=aborted/)
})

it('lets no caller forge a line, speak to the terminal, or fill the disk', () => {
  const model = `x\n12:00:00 INFO  answered\r\u001b[2J\u202e\u2028${'y'.repeat(100_000)}`
  const error = new GenerationError('model_not_found', `There is no "${model.slice(0, 40)}"`)
  for (const format of ['text', 'json'] as const) {
    const text = write(format, { model, error })
    expect(['\n', '\r', '\u001b'].filter((control) => text.trimEnd().includes(control))).toEqual([])
    expect(text.length).toBeLessThan(2_000)
  }
  expect(write('text', { model, error })).not.toMatch(/[\u202e\u2028]/)
})

it('lets no caller forge a fact of its own line', () => {
  const model = 'x status=200 account=eve "quoted" back\\slash'
  const error = new GenerationError('model_not_found', `There is no "${model}"`)
  const served = { upstream: 'gemini-web', account: 'Ada Lovelace', model: '' }
  const line = write('text', { model, error, served, status: 404 })
  expect(line).toContain(` model=${JSON.stringify(model)} upstream=gemini-web account="Ada Lovelace" servedModel="" `)
  // What is left without the quoted texts has every fact once.
  const facts = line.replaceAll(/"(?:[^"\\]|\\.)*"/g, '').match(/\b(status|account)=/g)
  expect(facts).toEqual(['account=', 'status='])
  expect(write('text', { error: new GenerationError('blocked', 'Plain words.') })).toMatch(
    / WARN {2}Plain words\. requestId=/,
  )
})

it('keeps no more of a sentence than a person reads', () => {
  const error = new GenerationError('model_not_found', `There is no ${'y'.repeat(100_000)}`)
  for (const format of ['text', 'json'] as const) expect(write(format, { error }).length).toBeLessThan(2_000)
})

it('removes what must never be in a log, should anybody put it there', () => {
  const lines: string[] = []
  const log = createLog({ level: 'info', format: 'json' }, { write: (line: string) => void lines.push(line) })
  log.info({ cookie: 'hunter2', session: { token: 'hunter2', label: 'ada' } }, 'x')
  expect(lines.join('')).not.toContain('hunter2')
  expect(lines.join('')).toContain('ada')
})
