/** What a path of this dialect asks for. */
export type Route =
  { name: RouteName } | { name: 'model'; id: string } | { name: 'repeated'; baseUrl: string } | { name: 'unknown' }

const ROUTES = {
  '/chat/completions': 'chat',
  '/models': 'models',
  '/images/generations': 'image-generations',
  '/images/edits': 'image-edits',
  '/images/edit': 'image-edit',
  '/generate-images': 'generate-images',
  '/embeddings': 'embeddings',
  '/audio/speech': 'speech',
  '/generate': 'generate',
} as const

export type RouteName = (typeof ROUTES)[keyof typeof ROUTES]

const ENTRIES = Object.entries(ROUTES)
const BY_PATH: ReadonlyMap<string, RouteName> = new Map(ENTRIES)

/** Routes that no one asks for without `/v1`, because other things live there. */
const NEEDS_VERSION = new Set<string>(['models', 'generate', 'generate-images'])

/**
 * Finds the route of a URL. `/v1` may be left out of the long paths, as some clients do; said twice it is the
 * commonest mistake in a base URL, so the answer names the right one.
 */
export function matchRoute(url: Readonly<URL>, basePath: string | undefined): Route {
  const path = url.pathname.replace(/\/{2,}/g, '/').replace(/\/$/, '')
  const base = basePath?.replace(/\/$/, '')
  if (base !== undefined && base !== '' && !path.startsWith(`${base}/`)) return { name: 'unknown' }
  const rest = base === undefined ? path.slice(Math.max(0, path.search(/\/v1(?:\/|$)/))) : path.slice(base.length)
  const prefix = path.slice(0, path.length - rest.length)
  if (/^(?:\/v1){2,}(?:\/|$)/.test(rest)) return { name: 'repeated', baseUrl: `${url.origin}${prefix}/v1` }
  const versioned = rest.startsWith('/v1/')
  const tail = versioned ? rest.slice('/v1'.length) : rest
  const found = findRoute(tail, versioned || base !== undefined)
  return found !== undefined && (versioned || !NEEDS_VERSION.has(found.name)) ? found : { name: 'unknown' }
}

function findRoute(tail: string, whole: boolean): Route | undefined {
  const name = whole ? BY_PATH.get(tail) : ENTRIES.find(([path]) => tail.endsWith(path))?.[1]
  if (name !== undefined) return { name }
  const id = whole ? /^\/models\/(.+)$/.exec(tail)?.[1] : undefined
  if (id === undefined) return undefined
  try {
    return { name: 'model', id: decodeURIComponent(id) }
  } catch {
    return { name: 'unknown' }
  }
}
