import { at, entriesByLength, list, mapper, rpcResult, text } from './plain.ts'

/**
 * Family A: a signed-in client that addresses dense positions only. It warms up with www.google.com,
 * takes any of five page keys, checks status, preferences and chats, and reads text, thoughts,
 * pictures, video, music, plans and the context token where the arrays are written out.
 */
export interface PositionsReply {
  text: string
  thoughts: string
  metadata: unknown[]
  rcid: string
  context: string
  images: Array<{ url: string; id: string; alt: string }>
  webImages: string[]
  video: string
  musicUrls: string[]
  plan?: { title: string; steps: string[]; confirm: string; uuid: string }
  candidate: unknown
  snapshots: number
}

const UUID = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/

export function createPositionsClient(base: string, cookies: Record<string, string>) {
  const map = mapper(base)
  const jar = { ...cookies }
  let token = ''
  let pushId = ''
  let requestNumber = 12_345

  async function go(url: string, init: RequestInit = {}, pair = false): Promise<Response> {
    const sent = pair
      ? Object.entries(jar).filter(([name]) => /^__Secure-1PSID(?:TS)?$/.test(name))
      : Object.entries(jar)
    const response = await fetch(map(url), {
      ...init,
      redirect: 'manual',
      headers: {
        cookie: sent.map((part) => part.join('=')).join('; '),
        'user-agent': 'Mozilla/5.0',
        ...(init.headers as Record<string, string>),
      },
    })
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';')[0] ?? '').split(/=(.*)/s)
      jar[name] = value
    }
    return response
  }

  async function rpc(id: string, payload: string): Promise<unknown> {
    requestNumber += 100_000
    const response = await go(
      `https://gemini.google.com/_/BardChatUi/data/batchexecute?rpcids=${id}&_reqid=${requestNumber}&rt=c&source-path=%2Fapp`,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded;charset=utf-8',
          'x-same-domain': '1',
          'x-goog-ext-525001261-jspb': '[1,null,null,null,null,null,null,null,[4]]',
        },
        body: new URLSearchParams({
          at: token,
          'f.req': JSON.stringify([[[id, payload, null, 'generic']]]),
        }).toString(),
      },
    )
    if (response.status !== 200) throw new Error(`batchexecute answered ${response.status}`)
    return rpcResult(await response.text(), id)
  }

  return {
    jar,
    rpc,
    async init(): Promise<{ models: string[]; status: unknown }> {
      await go('https://www.google.com')
      const page = await (await go('https://gemini.google.com/app')).text()
      const key = (name: string): string => new RegExp(`"${name}":\\s*"(.*?)"`).exec(page)?.[1] ?? ''
      if (['SNlM0e', 'cfb2h', 'FdrFJe', 'TuX5cc', 'qKIAYe'].every((name) => key(name) === ''))
        throw new Error('none of the five keys')
      token = key('SNlM0e').replaceAll('\\u003d', '=')
      pushId = key('qKIAYe')
      const status = await rpc('otAQ7b', '[]')
      await rpc('ESY5D', '[[["bard_activity_enabled"]]]')
      await rpc('MaZiqc', '[13,null,[1,null,1]]')
      await rpc('MaZiqc', '[13,null,[0,null,1]]')
      return { models: list(status, 15).map((model) => text(model, 0)), status: at(status, 14) }
    },
    async rotate(): Promise<number> {
      const response = await go(
        'https://accounts.google.com/RotateCookies',
        {
          method: 'POST',
          headers: { 'content-type': 'application/json', origin: 'https://accounts.google.com' },
          body: '[000,"-0000000000000000000"]',
        },
        true,
      )
      return response.status
    },
    async upload(name: string, type: string, data: string): Promise<string> {
      const form = new FormData()
      form.set('file', new Blob([data], { type }), name)
      const response = await go('https://content-push.googleapis.com/upload', {
        method: 'POST',
        headers: { 'push-id': pushId, 'x-tenant-id': 'bard-storage', origin: 'https://gemini.google.com' },
        body: form,
      })
      return response.text()
    },
    async generate(
      prompt: string,
      {
        metadata,
        files,
        research = false,
        tool,
        model = '[1,null,null,null,"fbb127bbb056c959",null,null,0,[4],null,null,1]',
        gem,
      }: {
        metadata?: unknown[]
        files?: string[]
        research?: boolean
        tool?: number
        model?: string
        gem?: string
      } = {},
    ): Promise<PositionsReply> {
      const inner: unknown[] = Array.from({ length: 69 }, () => null)
      const uuid = crypto.randomUUID().toUpperCase()
      Object.assign(inner, {
        0: [prompt, 0, null, files?.map((reference) => [[reference], 'file.txt']) ?? null, null, null, 0],
        1: ['en'],
        2: metadata ?? ['', '', '', null, null, null, null, null, null, ''],
        6: [1],
        7: 1,
        10: 1,
        11: 0,
        17: [[0]],
        18: 0,
        19: gem ?? null,
        27: 1,
        30: [4],
        41: [1],
        53: 0,
        59: uuid,
        61: [],
        68: 2,
      })
      if (tool !== undefined) inner[49] = tool
      if (research)
        Object.assign(inner, { 3: `!${'x'.repeat(2_600)}`, 4: 'f'.repeat(32), 49: 1, 54: [[[[[1]]]]], 55: [[1]] })
      requestNumber += 100_000
      const response = await go(
        `https://gemini.google.com/_/BardChatUi/data/assistant.lamda.BardFrontendService/StreamGenerate?_reqid=${requestNumber}&rt=c`,
        {
          method: 'POST',
          headers: {
            'content-type': 'application/x-www-form-urlencoded;charset=utf-8',
            'x-same-domain': '1',
            origin: 'https://gemini.google.com',
            'x-goog-ext-525001261-jspb': model,
            'x-goog-ext-525005358-jspb': `["${uuid}",1]`,
          },
          body: new URLSearchParams({ at: token, 'f.req': JSON.stringify([null, JSON.stringify(inner)]) }).toString(),
        },
      )
      if (response.status !== 200) throw new Error(`StreamGenerate answered ${response.status}`)
      return readStream(await response.text())
    },
    /** Text hops with the cookies each time, then the file. */
    async original(reply: PositionsReply): Promise<Response> {
      const payload = [
        [
          [null, null, null, [null, null, null, null, null, '']],
          [reply.images[0]?.id, 0],
          null,
          [19, ''],
          null,
          null,
          null,
          null,
          null,
          '',
        ],
        [reply.metadata[1], reply.rcid, reply.metadata[0], null, ''],
        1,
        0,
        1,
      ]
      let url = `${text(await rpc('c8o8Fe', JSON.stringify(payload)), 0)}=d-I?alr=yes`
      for (let hop = 0; hop < 6; hop++) {
        const response = await go(url, { headers: { cookie: downloadCookies(jar) } })
        if (response.headers.get('content-type') !== 'text/plain') return response
        url = await response.text()
      }
      throw new Error('too many hops')
    },
    /** Redirects by hand, and 206 while the file is made. */
    async download(start: string): Promise<Response> {
      let url = start
      for (let attempt = 0; attempt < 200; attempt++) {
        const response = await go(url, { headers: { cookie: downloadCookies(jar) } })
        if (response.status === 302) url = response.headers.get('location') ?? ''
        else if (response.status === 206) await new Promise((resolve) => setTimeout(resolve, 5))
        else return response
      }
      throw new Error('never ready')
    },
    /** Status of a research as this family reads it. */
    async researchStatus(uuid: string): Promise<{ title: string; chat: string; done: boolean }> {
      const job = at(await rpc('kwDCne', JSON.stringify([uuid])), 0)
      return {
        title: text(job, 1, 4, 0),
        chat: text(job, 1, 3, 0),
        done: JSON.stringify(job).includes('immersive_entry_chip'),
      }
    },
  }
}

function downloadCookies(jar: Record<string, string>): string {
  return Object.entries(jar)
    .filter(([name]) => !/^(?:COMPASS|OSID|LSID|__Host-)/.test(name))
    .map((part) => part.join('='))
    .join('; ')
}

function readStream(body: string): PositionsReply {
  const reply: PositionsReply = {
    text: '',
    thoughts: '',
    metadata: [],
    rcid: '',
    context: '',
    images: [],
    webImages: [],
    video: '',
    musicUrls: [],
    candidate: undefined,
    snapshots: 0,
  }
  for (const entry of entriesByLength(body)) {
    const code = at(entry, 5, 2, 0, 1, 0)
    if (typeof code === 'number') throw new Error(`error ${code}`)
    if (entry[0] !== 'wrb.fr' || entry[1] !== null || text(entry, 2) === '') continue
    const message: unknown = JSON.parse(text(entry, 2))
    if (list(message, 1).length > 0 && text(message, 1, 0) !== '') reply.metadata = list(message, 1)
    if (text(message, 25) !== '') reply.context = text(message, 25)
    const candidate = at(message, 4, 0)
    if (candidate === undefined) continue
    reply.snapshots++
    reply.candidate = candidate
    reply.rcid = text(candidate, 0)
    const said = text(candidate, 1, 0)
    reply.text = /^http:\/\/googleusercontent\.com\/card_content\/\d+/.test(said)
      ? text(candidate, 22, 0)
      : said.replace(/http:\/\/googleusercontent\.com\/\w+\/\d+\n*/g, '')
    reply.thoughts = text(candidate, 37, 0, 0) || reply.thoughts
    reply.webImages = list(candidate, 12, 1).map((image) => text(image, 0, 0, 0))
    // Both places are joined, so each must be a list or absent.
    const generated = [
      ...(at(candidate, 12, 7, 0) === undefined ? [] : list(candidate, 12, 7, 0)),
      ...list(candidate, 12, 0, '8', 0),
    ]
    reply.images = generated.map((image) => ({
      url: text(image, 0, 3, 3),
      id: text(image, 1, 0),
      alt: text(image, 0, 3, 2),
    }))
    reply.video = text(candidate, 12, 59, 0, 0, 0, 0, 7, 1)
    reply.musicUrls = [text(candidate, 12, 86, 0, 1, 7, 1), text(candidate, 12, 86, 1, 1, 7, 1)].filter(
      (url) => url !== '',
    )
    const plan = at(candidate, 12, 55)
    if (plan !== undefined && plan !== null) {
      reply.plan = {
        title: text(plan, 0),
        steps: list(plan, 1).map((step) => text(step, 1)),
        confirm: text(plan, 3, 0),
        uuid: UUID.exec(JSON.stringify(candidate))?.[0] ?? '',
      }
    }
  }
  return reply
}

/** The newest turn of a chat, as this family reads history. */
export function newestTurn(history: unknown): { text: string; candidate: unknown; report: string; video: string } {
  const candidate = at(history, 0, 0, 3, 0, 0)
  return {
    text: text(candidate, 1, 0),
    candidate,
    report: text(candidate, 30, 0, 4),
    video: text(candidate, 12, 59, 0, 0, 0, 0, 7, 1),
  }
}
