import { DEMO_ACCOUNTS } from '@castorjs/gemini-web-emulator'
import {
  buildPrompt,
  DEFAULT_USER_AGENT,
  formHeaders,
  generateHeaders,
  readPageTokens,
  streamGenerateUrl,
  WEB_MODELS,
} from '@castorjs/gemini-web-protocol'

/** One StreamGenerate request, made once: what the floor sends for every call, with only the prompt replaced. */
export async function prepareFloorRequest(appUrl) {
  const [{ session, ticket }] = DEMO_ACCOUNTS
  const cookie = `__Secure-1PSID=${session}; __Secure-1PSIDTS=${ticket}`
  const page = await fetch(`${appUrl}/app`, { headers: { cookie, 'user-agent': DEFAULT_USER_AGENT } })
  const { token } = readPageTokens(await page.text())
  const requestId = crypto.randomUUID().toUpperCase()
  const { id: modelId, mode } = WEB_MODELS.find(({ slot }) => slot === 'free-flash')
  const url = new URL(streamGenerateUrl(appUrl, { requestNumber: 100_000 }))
  return {
    path: url.pathname + url.search,
    token,
    inner: JSON.stringify(buildPrompt({ prompt: '', requestId, temporary: true })),
    headers: {
      ...formHeaders({ userAgent: DEFAULT_USER_AGENT }),
      ...generateHeaders({ requestId, model: { modelId, mode } }),
      cookie,
    },
  }
}
