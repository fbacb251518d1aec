import { Hono } from 'hono'
import { createGeminiNativeHandler, type GeminiNativeOptions } from './handler.ts'
import { isGeminiNative } from './route.ts'

/**
 * The dialect as a Hono sub-app. It answers what is Google's and leaves every other request to the routes that
 * follow.
 *
 * @example
 * app.route('/', geminiNative({ generator, authorize }))
 */
export function geminiNative(options: GeminiNativeOptions): Hono {
  const handle = createGeminiNativeHandler(options)
  return new Hono().use('*', (context, next) =>
    isGeminiNative(context.req.raw) ? handle(context.req.raw) : next().then(() => undefined),
  )
}
