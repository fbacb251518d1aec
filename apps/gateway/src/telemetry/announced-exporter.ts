import type { SpanExporter } from '@opentelemetry/sdk-trace-base'

/** Says once that the collector takes nothing any more, and once that it is back; between them every batch would say it. */
export function createAnnouncedExporter(exporter: SpanExporter, say: (message: string) => void): SpanExporter {
  let away = false
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        // 0 is success. Source: `ExportResultCode` of OpenTelemetry's core, which has no door of its own here.
        const failed = result.code !== 0
        if (failed && !away) say(`traces are not sent, and are lost until the collector is back (${why(result.error)})`)
        if (!failed && away) say('traces are sent again')
        away = failed
        done(result)
      })
    },
    ...(exporter.forceFlush === undefined ? {} : { forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve() }),
    shutdown: () => exporter.shutdown(),
  }
}

/** A code alone: the message may hold the URL, and its query a key. */
function why(error: Error | undefined): string {
  const code = error !== undefined && 'code' in error ? error.code : undefined
  if (typeof code === 'number') return `status ${code}`
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? code : 'it does not answer as it should'
}
