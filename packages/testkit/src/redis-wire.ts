import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A way to a Redis on which things happen that happen to networks. */
export interface RedisWire {
  url: string
  /** Connections made so far. */
  readonly made: number
  /** Every answer comes so much later. Default 0. */
  delayMs: number
  /** From now on nothing comes through on what is open, and no end either: a NAT or a load balancer forgot it. */
  silence(): void
  /** New connections lead to another server. Open ones stay where they are, as after a failover behind one address. */
  leadTo(port: number): void
  close(): Promise<void>
}

/** @param port Where it leads, on this machine. */
export async function startRedisWire(port: number): Promise<RedisWire> {
  const sockets = new Set<Socket>()
  let silent = new AbortController()
  let target = port
  let made = 0
  const server = createServer((near) => {
    made++
    const far = connect(target, '127.0.0.1')
    const { signal } = silent
    const pass = (from: Socket, to: Socket, delayMs: () => number): void => {
      sockets.add(from)
      from.on('data', (data) => {
        setTimeout(() => signal.aborted || to.write(data), delayMs())
      })
      from.on('error', () => undefined)
      from.on('close', () => signal.aborted || to.destroy())
    }
    pass(near, far, () => 0)
    pass(far, near, () => wire.delayMs)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const wire: RedisWire = {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get made() {
      return made
    },
    delayMs: 0,
    silence() {
      silent.abort()
      silent = new AbortController()
    },
    leadTo(next) {
      target = next
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return wire
}
