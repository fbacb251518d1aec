import { createServer } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'

/** A proxy that tunnels, as accounts have one each. */
export interface ConnectProxy {
  url: string
  /** Tunnels opened so far. */
  readonly tunnels: number
  /** `user:password` of the last tunnel. */
  readonly user: string | undefined
  close: () => Promise<void>
}

/** @param port 0 takes any free one. */
export async function startConnectProxy(port = 0): Promise<ConnectProxy> {
  const sockets = new Set<Socket>()
  let tunnels = 0
  let user: string | undefined
  const server = createServer((_, response) => response.writeHead(405).end())
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
  })
  server.on('connect', (request, near: Socket) => {
    tunnels++
    const [, credentials] = /^Basic (.+)$/.exec(request.headers['proxy-authorization'] ?? '') ?? []
    user = credentials === undefined ? undefined : Buffer.from(credentials, 'base64').toString()
    const [host, port] = (request.url ?? '').split(':')
    const far = connect(Number(port), host, () => near.write('HTTP/1.1 200 OK\r\n\r\n'))
    sockets.add(far)
    far.on('close', () => {
      sockets.delete(far)
      near.destroy()
    })
    far.on('error', () => near.destroy())
    near.on('close', () => far.destroy())
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get tunnels() {
      return tunnels
    },
    get user() {
      return user
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
