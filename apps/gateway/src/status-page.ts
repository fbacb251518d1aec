import { html } from 'hono/html'
import type { ServerInfo } from './server-info.ts'

/** The page has no script, loads nothing and belongs into no frame. For the header of the same name. */
export const CONTENT_SECURITY_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** Of a host that a browser takes and a shell does not take for a command. */
const PLAIN_ORIGIN = /^https?:\/\/[\w.:[\]-]+$/

/** The page at `/`: what runs here and where to point a client. Nothing on it needs a key. */
export function statusPage(info: ServerInfo, calledAs: string) {
  // Whoever sent somebody here chose the name; the command below is there to be copied.
  const origin = PLAIN_ORIGIN.test(calledAs) ? calledAs : 'http://HOST:PORT'
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Castor${info.demo ? ' (demo)' : ''}</title>
        <style>
          :root {
            color-scheme: light dark;
            font:
              16px/1.5 system-ui,
              sans-serif;
          }
          body {
            max-width: 46rem;
            margin: 3rem auto;
            padding: 0 1rem;
          }
          code,
          pre {
            font:
              0.9em ui-monospace,
              monospace;
          }
          pre {
            padding: 1rem;
            overflow-x: auto;
            border: 1px solid #8884;
            border-radius: 6px;
          }
          table {
            border-collapse: collapse;
            width: 100%;
          }
          td,
          th {
            overflow-wrap: anywhere;
            text-align: left;
            padding: 0.4rem 0.8rem 0.4rem 0;
            border-bottom: 1px solid #8884;
          }
          .demo {
            padding: 0.8rem 1rem;
            border: 2px solid #c60;
            border-radius: 6px;
          }
        </style>
      </head>
      <body>
        <h1>Castor</h1>
        ${
          info.demo
            ? html`<p class="demo">
                <strong>Demo.</strong> Everything behind this server is a local emulator. No Google account is used and
                no answer comes from a model.
              </p>`
            : ''
        }
        <p>Version ${info.version}, running since ${info.startedAt}.</p>
        <table>
          <tr>
            <th>Base URL</th>
            <th>Behind it</th>
          </tr>
          ${info.mounts.map(
            ({ path, description }) =>
              html`<tr>
                <td><code>${origin}${path === '/' ? '' : path}/v1</code></td>
                <td>${description}</td>
              </tr>`,
          )}
        </table>
        <h2>First call</h2>
        <pre>
curl ${origin}/v1/chat/completions \\
  -H 'content-type: application/json' \\
  -d '{"model":"gemini-2.5-flash","messages":[{"role":"user","content":"Hello"}]}'</pre>
        <p>
          Models: <a href="/v1/models"><code>/v1/models</code></a> · state: <a href="/health"><code>/health</code></a> ·
          about: <a href="/api/info"><code>/api/info</code></a>
        </p>
      </body>
    </html>`
}
