// The npm package, as its command starts it: headless, on a port of its own. It says nothing when it is ready.
import { createServer } from 'node:net'

const probe = createServer().listen(0, '127.0.0.1')
await new Promise((resolve) => probe.once('listening', resolve))
const { port } = probe.address()
await new Promise((resolve) => probe.close(resolve))

// Its logger fails to read every event stream and prints that; silence is in its favour.
console.error = () => undefined
process.argv.push('--headless', `--port=${port}`)
await import('@portkey-ai/gateway/build/start-server.js')
for (;;) {
  const answers = await fetch(`http://127.0.0.1:${port}/`).then(
    () => true,
    () => false,
  )
  if (answers) break
  await new Promise((resolve) => setTimeout(resolve, 50))
}
process.send({ port })
process.on('disconnect', () => process.exit())
