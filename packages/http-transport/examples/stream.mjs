// Reads a reply piece by piece, and leaves in the middle. Run: node examples/stream.mjs [url] (PROXY=socks5://… for a proxy)
import { createServer } from 'node:http'
import { createNodeTransport } from '@castorjs/http-transport/node'

const server = createServer((_, response) => {
  const timer = setInterval(() => response.write('tick '), 100)
  response.on('close', () => {
    clearInterval(timer)
    console.log('\nthe server saw us leave')
    server.close()
  })
}).listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))

const transport = createNodeTransport(process.env.PROXY === undefined ? {} : { proxy: process.env.PROXY })
const url = process.argv[2] ?? `http://127.0.0.1:${server.address().port}/`
const response = await transport(url, { signal: AbortSignal.timeout(10_000) })
console.log(response.status, response.header('content-type') ?? 'no type')
let pieces = 0
for await (const piece of response.body) {
  process.stdout.write(piece)
  if (++pieces === 5) break // frees the socket at once
}
await transport.close()
