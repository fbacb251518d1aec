import type { Hono } from 'hono'

/** Answers every other method of these paths with 405. Mount it after what they answer to. */
export function refuseOtherMethods(app: Hono, methods: Readonly<Record<string, string>>): void {
  for (const [path, allowed] of Object.entries(methods)) {
    app.all(path, (context) => {
      const message = `${context.req.method} does nothing here. Use ${allowed}.`
      const error = { message, type: 'invalid_request', param: null, code: 'method_not_allowed' }
      return context.json({ error }, 405, { allow: allowed })
    })
  }
}
