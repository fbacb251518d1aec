import { createServer, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Stands before an emulator and counts the bytes of request bodies as they pass, one direction only. */
export interface CountingProxy {
  url: string
  /** Where requests go; set once that is known. */
  target: string
  received: number
  close: () => Promise<void>
}

export async function startCountingProxy(): Promise<CountingProxy> {
  const server = createServer((request, response) => {
    const { method, headers, url = '/' } = request
    const onward = send(new URL(url, proxy.target), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    response.on('close', () => onward.destroy())
    request.on('data', (bytes: Buffer) => (proxy.received += bytes.length))
    request.pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const proxy: CountingProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    target: '',
    received: 0,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return proxy
}
