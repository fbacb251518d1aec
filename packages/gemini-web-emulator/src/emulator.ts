import { readAppPath } from '@castorjs/gemini-web-protocol'
import { Hono } from 'hono'
import { DEMO_ACCOUNTS, type AccountSpec } from './accounts.ts'
import { batchExecute } from './batch.ts'
import { createControls, type Controls } from './controls.ts'
import { downloadHost } from './downloads.ts'
import { openExchange, type ConnectionInfo, type Exchange } from './exchange.ts'
import { generate } from './generate.ts'
import { locate } from './locate.ts'
import { createMedia, type DrawMark } from './media/media.ts'
import { appPage, googlePage } from './page.ts'
import { controlApi } from './control-api.ts'
import { redirect, respond, respondSorry } from './respond.ts'
import { accountsHost } from './rotation.ts'
import type { SettingsPatch } from './settings.ts'
import { uploadHost } from './upload-hosts.ts'
import { createWorld, type World } from './world.ts'

export interface GeminiWebEmulatorOptions {
  /** Who can sign in. Default {@link DEMO_ACCOUNTS}. */
  accounts?: readonly AccountSpec[]
  /** Settings to start with, and to come back to on a reset. */
  settings?: SettingsPatch
  /** Draws the visible mark into a picture. Without it pictures carry none. */
  drawMark?: DrawMark
  /** Unix time in milliseconds. Default `Date.now`. */
  now?: () => number
  /** Seed of ids and tokens. Default 1. */
  seed?: number
}

export interface GeminiWebEmulator {
  /**
   * Answers one request. The host is that of the URL, or the first segment of the path when the
   * URL is not one of Google's. Rejects like `fetch` when the connection is made to break.
   */
  fetch(request: Request, connection?: ConnectionInfo): Promise<Response>
  /** What a test can turn, put in and look at; the same as `/__emulator/…`. */
  controls: Controls
  /** Everything the emulator knows, for tests that look closer. */
  state: World
  /** Requests whose body is not over yet. */
  readonly open: number
  /** Ends all open bodies with an error; later requests are refused. */
  close(): void
}

/** A local Gemini web app. It needs no network and starts empty. */
export function createGeminiWebEmulator(options: GeminiWebEmulatorOptions = {}): GeminiWebEmulator {
  const { accounts = DEMO_ACCOUNTS, settings = {}, drawMark, now, seed } = options
  const world = createWorld({
    specs: accounts,
    settings,
    ...(now === undefined ? {} : { now }),
    ...(seed === undefined ? {} : { seed }),
  })
  const media = createMedia(drawMark === undefined ? {} : { drawMark })
  const controls = createControls(world)
  const lifetimes = new Set<AbortController>()
  let closed = false

  const app = new Hono<{ Bindings: { exchange: Exchange } }>({
    getPath: (request) => {
      const { host, path } = locate(new URL(request.url))
      return host === '' ? path : `/${host}${path}`
    },
  })
  // A broken connection is no error of ours to be turned into a page.
  app.onError((error) => {
    throw error
  })
  app.route('/__emulator', controlApi(controls))
  app.all('/gemini.google.com/*', (context) => appHost(context.env.exchange))
  app.all('/www.google.com/*', (context) => googlePage(context.env.exchange))
  app.all('/consent.google.com/*', (context) =>
    respond(context.env.exchange, '<!doctype html><title>Before you continue</title>', { type: 'text/html' }),
  )
  app.all('/accounts.google.com/*', (context) => accountsHost(context.env.exchange))
  app.all('/push.clients6.google.com/*', (context) => uploadHost(context.env.exchange))
  app.all('/content-push.googleapis.com/*', (context) => uploadHost(context.env.exchange))
  for (const host of [
    'lh3.googleusercontent.com',
    'work.fife.usercontent.google.com',
    'contribution.usercontent.google.com',
  ]) {
    app.all(`/${host}/*`, (context) => downloadHost(context.env.exchange, media))
  }

  async function appHost(exchange: Exchange): Promise<Response> {
    const { sorry } = world.settings
    if (sorry.length > 0 && (sorry.includes('*') || sorry.includes(exchange.address))) return respondSorry(exchange)
    const route = readAppPath(exchange.place.path)
    switch (route?.route) {
      case 'app':
        return appPage(exchange, route.accountIndex)
      case 'stream-generate':
        return generate(exchange, route.accountIndex)
      case 'batch-execute':
        return batchExecute(exchange, route.accountIndex)
      case undefined:
        return exchange.place.path === '/'
          ? redirect(exchange, 'https://gemini.google.com/app')
          : respond(exchange, 'Not found', { status: 404, type: 'text/html' })
    }
  }

  async function fetch(request: Request, connection: ConnectionInfo = {}): Promise<Response> {
    if (closed) throw new TypeError('fetch failed: the emulator is closed')
    const url = new URL(request.url)
    const place = locate(url)
    if (place.host === '') return app.fetch(request)
    const watched = connection.socket === true ? undefined : request.signal
    watched?.throwIfAborted()
    const lifetime = new AbortController()
    const leave = (): void => lifetime.abort(watched?.reason)
    watched?.addEventListener('abort', leave)
    lifetimes.add(lifetime)
    const exchange = openExchange(world, request, url, place, lifetime.signal, connection)
    exchange.end = () => {
      exchange.log.endedAtMs ??= world.clock.now()
      lifetimes.delete(lifetime)
      watched?.removeEventListener('abort', leave)
    }
    try {
      const response = await app.fetch(request, { exchange })
      lifetime.signal.throwIfAborted()
      if (!exchange.streaming) exchange.end()
      return response
    } catch (error) {
      exchange.end()
      throw error
    }
  }

  return {
    fetch,
    controls,
    state: world,
    get open() {
      return lifetimes.size
    },
    close() {
      closed = true
      for (const lifetime of lifetimes) lifetime.abort(new TypeError('terminated: the emulator was closed'))
      lifetimes.clear()
    },
  }
}
