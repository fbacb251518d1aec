import { createServer as createProxy } from 'node:http'
import { createServer } from 'node:https'
import { connect, type AddressInfo, type Server, type Socket } from 'node:net'
import { generate } from 'selfsigned'

/** What the server sets, by name; every value holds something that a shell, JSON or PowerShell has to escape. */
export const SET: Readonly<Record<string, string>> = {
  '__Secure-1PSID': 'g.a000from-a-browser_1',
  '__Secure-1PSIDTS': 'sidts-Cj==',
  NID: '525=ab|c!d%&"q\'$e`f^g\\h',
  COMPASS: 'bard=1',
}
export const YEAR_SECONDS = 31_536_000

/** A server on loopback that takes itself for every host. */
export interface Google {
  port: number
  /** URL of a proxy by which every host is this server. */
  proxy: string
  close: () => Promise<void>
}

/** Signs in whoever comes, as gemini.google.com would, and sets a cookie of its own as any other host. */
export async function startGoogle(): Promise<Google> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'gemini.google.com' }], {
    algorithm: 'sha256',
  })
  const server = createServer({ key, cert }, ({ headers, method }, response) => {
    const isGoogles = headers.host?.endsWith('google.com') === true
    if (method === 'GET')
      response.setHeader('set-cookie', isGoogles ? Object.entries(SET).map(toSetCookie) : ['theirs=no; Secure'])
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>App</title>')
  })
  const port = await listen(server)
  const tunnels = new Set<Socket>()
  const proxy = createProxy().on('connect', (_, near: Socket) => {
    const far = connect(port, '127.0.0.1', () => near.write('HTTP/1.1 200 OK\r\n\r\n'))
    for (const socket of [near, far]) {
      tunnels.add(socket)
      socket.on('error', () => undefined).on('close', () => tunnels.delete(socket))
    }
    near.pipe(far).pipe(near)
  })
  const proxyPort = await listen(proxy)
  return {
    port,
    proxy: `http://127.0.0.1:${proxyPort}`,
    async close() {
      for (const socket of tunnels) socket.destroy()
      server.closeAllConnections()
      await Promise.all([server, proxy].map((each) => new Promise((resolve) => each.close(resolve))))
    },
  }
}

function toSetCookie([name, value]: [string, string]): string {
  if (name === 'COMPASS') return `${name}=${value}; Path=/; Secure; HttpOnly`
  return `${name}=${value}; Domain=.google.com; Path=/; Secure; HttpOnly; SameSite=None; Max-Age=${YEAR_SECONDS}`
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
