/**
 * Whose shape `GET /v1/models` and `GET /v1/models/{id}` must answer in: three dialects claim these paths, so
 * the headers decide. Source: `dialects.md` section 0.1 and row 62.
 */
export function modelsDialect(request: Request): 'gemini' | 'anthropic' | 'openai' {
  const { headers } = request
  const query = new URL(request.url).searchParams
  const google = headers.has('x-goog-api-key') || headers.has('x-goog-api-client')
  if (google || query.has('key') || query.has('pageSize') || query.has('pageToken')) return 'gemini'
  if (headers.has('anthropic-version')) return 'anthropic'
  return headers.has('x-api-key') && !headers.has('authorization') ? 'anthropic' : 'openai'
}
