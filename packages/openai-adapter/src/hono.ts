import { Hono } from 'hono'
import { createOpenAIHandler } from './handler.ts'
import type { OpenAIHandlerOptions } from './options.ts'

/**
 * The OpenAI API as a Hono app, to be mounted anywhere: `app.route('/gemini_official', createOpenAIApp(…))`.
 * Every path below the mount is answered, unknown ones with a JSON 404.
 */
export function createOpenAIApp(options: OpenAIHandlerOptions): Hono {
  const handler = createOpenAIHandler(options)
  return new Hono().all('*', (context) => handler(context.req.raw))
}
