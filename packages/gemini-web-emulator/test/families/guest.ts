import { at, list, mapper, text } from './plain.ts'

/**
 * Family B: works without any cookies, reads the stream line by line, skips lines under 200
 * characters and payloads under 50, and takes the last text that is not empty.
 */
export async function askAsGuest(
  base: string,
  prompt: string,
  { cookie, model }: { cookie?: string; model?: string } = {},
): Promise<{ text: string; model: string; lines: number; ids: unknown[] }> {
  const inner: unknown[] = Array.from({ length: 102 }, () => null)
  Object.assign(inner, {
    0: [prompt, 0, null, null, null, null, 0],
    1: ['en'],
    2: ['', '', '', null, null, null, null, null, null, ''],
    6: [0],
    7: 1,
    10: 1,
    11: 0,
    17: [[0]],
    18: 0,
    27: 1,
    30: [4],
    41: [1],
    53: 0,
    61: [],
    68: 1,
    79: 1,
  })
  const response = await fetch(
    mapper(base)(
      'https://gemini.google.com/_/BardChatUi/data/assistant.lamda.BardFrontendService/StreamGenerate?bl=boq_assistant-bard-web-server_20260101.00_p0&hl=en&_reqid=1&rt=c',
    ),
    {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
        origin: 'https://gemini.google.com',
        referer: 'https://gemini.google.com/app',
        'x-same-domain': '1',
        'x-goog-authuser': '0',
        ...(model === undefined ? {} : { 'x-goog-ext-525001261-jspb': `[1,null,null,null,"${model}"]` }),
        ...(cookie === undefined ? {} : { cookie }),
      },
      body: new URLSearchParams({ 'f.req': JSON.stringify([null, JSON.stringify(inner)]) }).toString(),
    },
  )
  const result = { text: '', model: '', lines: 0, ids: [] as unknown[] }
  for (const line of (await response.text()).split('\n')) {
    if (line.length < 200 || !line.startsWith('[[')) continue
    for (const entry of JSON.parse(line) as unknown[][]) {
      const payload = text(entry, 2)
      if (payload.length < 50) continue
      const message: unknown = JSON.parse(payload)
      result.lines++
      result.text =
        list(message, 4)
          .map((candidate) => list(candidate, 1).join(''))
          .find((said) => said !== '') ?? result.text
      result.model = text(message, 42) || result.model
      result.ids = list(message, 1).length > 0 ? (at(message, 1) as unknown[]) : result.ids
    }
  }
  return result
}
