import { GenerationError } from '@castorjs/content-generator'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Credentials } from '../auth/credentials.ts'
import { beginSignIn, type SignInOptions } from '../auth/sign-in.ts'

export interface BrowserSignInOptions extends Omit<SignInOptions, 'redirectUri'> {
  /** Called with the page to open: start a browser, or print it. */
  open: (url: string) => void | Promise<void>
  signal: AbortSignal
  /** Port to listen on, on the loopback address only. Default 0: any free one. */
  port?: number
  /** Longest wait for the user, in milliseconds. Default 300 000. */
  timeoutMs?: number
}

const PATH = '/oauth2callback'

/**
 * Signs in by browser: listens on a loopback address, sends the user to Google, and takes the code that comes back.
 *
 * @throws {GenerationError} `upstream_auth` when the user or Google says no, `upstream_timeout` when nobody answers,
 * `aborted` when the signal ends it.
 */
export async function signInWithBrowser({
  open,
  signal,
  port = 0,
  timeoutMs = 300_000,
  ...options
}: BrowserSignInOptions): Promise<Credentials> {
  signal.throwIfAborted()
  const server = createServer()
  const address = await new Promise<AddressInfo>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server.address() as AddressInfo))
  })
  try {
    const signIn = await beginSignIn({ ...options, redirectUri: `http://127.0.0.1:${address.port}${PATH}` })
    const answer = waitForCode(server, signIn.state, signal, timeoutMs)
    // Whoever awaits it sees a failure; this keeps one during `open` from counting as unhandled.
    answer.catch(() => undefined)
    await open(signIn.url)
    return await signIn.finish(await answer, signal)
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

function waitForCode(
  server: ReturnType<typeof createServer>,
  state: string,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(
        new GenerationError('upstream_timeout', `Nobody signed in within ${Math.round(timeoutMs / 1_000)} seconds.`),
      )
    }, timeoutMs)
    const leave = (): void => reject(new GenerationError('aborted', 'The sign-in was cancelled.'))
    signal.addEventListener('abort', leave, { once: true })
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', leave)
    }
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const url = new URL(request.url ?? '/', 'http://127.0.0.1')
      if (url.pathname !== PATH) return sendPage(response, 404, 'Nothing is here.')
      // Anybody on this machine can knock here; only the browser that was sent knows the state.
      if (url.searchParams.get('state') !== state)
        return sendPage(response, 400, 'This is not the sign-in that was begun.')
      const code = url.searchParams.get('code')
      if (code === null) {
        const said = url.searchParams.get('error') ?? ''
        const reason = /^[a-z_]{1,40}$/.test(said) ? ` (${said})` : ''
        sendPage(response, 400, 'Google did not grant the sign-in. You can close this window.')
        end()
        reject(new GenerationError('upstream_auth', `Google did not grant the sign-in${reason}.`))
        return
      }
      // The page first: the server closes as soon as the code is handed on.
      response.once('close', () => {
        end()
        resolve(code)
      })
      sendPage(response, 200, 'You are signed in. You can close this window.')
    })
  })
}

function sendPage(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', connection: 'close' })
  response.end(`<!doctype html><meta charset="utf-8"><title>Castor</title><p>${text}</p>`)
}
