import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { generate } from 'selfsigned'

/** A server on a free loopback port that knows its open sockets. */
export interface TestServer {
  port: number
  origin: string
  /** Sockets open now. */
  sockets: ReadonlySet<Socket>
  /** Resolves once no socket is open. */
  empty(): Promise<void>
  close(): Promise<void>
}

async function listen(server: Server, scheme: string): Promise<TestServer> {
  const sockets = new Set<Socket>()
  const waiting: (() => void)[] = []
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => {
      sockets.delete(socket)
      if (sockets.size === 0) for (const resolve of waiting.splice(0)) resolve()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    origin: `${scheme}://127.0.0.1:${port}`,
    sockets,
    empty: () => new Promise((resolve) => (sockets.size === 0 ? resolve() : waiting.push(resolve))),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

export function startHttp(listener: RequestListener): Promise<TestServer> {
  return listen(createServer(listener), 'http')
}

/** An HTTPS server and the PEM of its own certificate, good for `localhost` and 127.0.0.1. */
export async function startHttps(listener: RequestListener): Promise<TestServer & { ca: string }> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], { algorithm: 'sha256' })
  const server = await listen(createTlsServer({ key, cert }, listener), 'https')
  return { ...server, origin: `https://localhost:${server.port}`, ca: cert }
}

/** A TCP server that does what it is told with each connection. */
export function startTcp(onConnection: (socket: Socket) => void): Promise<TestServer> {
  return listen(createTcpServer(onConnection), 'tcp')
}

/** A port that nobody listens on. */
export async function closedPort(): Promise<number> {
  const server = await startTcp(() => undefined)
  await server.close()
  return server.port
}

export interface SocksServer extends TestServer {
  /** `host:port` as the clients asked for it. */
  asked: string[]
}

/** A SOCKS5 server (RFC 1928, user name and password by RFC 1929) that connects every name to loopback. */
export async function startSocks(credentials?: { user: string; password: string }): Promise<SocksServer> {
  const asked: string[] = []
  const server = await startTcp((socket) => {
    void serve(socket).catch(() => socket.destroy())
  })

  async function serve(socket: Socket): Promise<void> {
    const [, count = 0] = await take(socket, 2)
    await take(socket, count)
    if (credentials !== undefined) {
      socket.write(Uint8Array.of(5, 2))
      const [, userLength = 0] = await take(socket, 2)
      const user = (await take(socket, userLength)).toString()
      const [passwordLength = 0] = await take(socket, 1)
      const right =
        user === credentials.user && (await take(socket, passwordLength)).toString() === credentials.password
      socket.write(Uint8Array.of(1, right ? 0 : 1))
      if (!right) return void socket.end()
    } else {
      socket.write(Uint8Array.of(5, 0))
    }
    const [, , , type] = await take(socket, 4)
    const host =
      type === 1 ? (await take(socket, 4)).join('.') : (await take(socket, (await take(socket, 1))[0] ?? 0)).toString()
    const port = (await take(socket, 2)).readUInt16BE()
    asked.push(`${host}:${port}`)
    const upstream = connect(port, '127.0.0.1')
    const reply = (code: number): boolean => socket.write(Uint8Array.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0))
    upstream.on('error', () => void (reply(5), socket.end()))
    upstream.on('connect', () => {
      reply(0)
      socket.pipe(upstream).pipe(socket)
    })
    socket.on('close', () => upstream.destroy())
    upstream.on('close', () => socket.destroy())
  }

  return { ...server, asked }
}

function take(socket: Socket, size: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new Error('closed'))
    const attempt = (): void => {
      const chunk = size === 0 ? Buffer.alloc(0) : (socket.read(size) as Buffer | null)
      if (chunk === null) return void socket.once('readable', attempt)
      socket.off('close', onClose)
      resolve(chunk)
    }
    socket.once('close', onClose)
    attempt()
  })
}
