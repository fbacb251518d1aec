/** What a gateway answered. */
export interface JsonAnswer {
  status: number
  headers: Headers
  text: string
  json: Record<string, unknown>
}

/** Calls a gateway as a script of its operator does. */
export async function callJson(
  method: string,
  url: string,
  { body, bearer }: { body?: unknown; bearer?: string } = {},
): Promise<JsonAnswer> {
  const response = await fetch(url, {
    method,
    headers: {
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      'content-type': 'application/json',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: JSON.parse(text) as Record<string, unknown>,
  }
}
