// The official API as cheap as Node can be it: fixed answers, no checks, so that what is measured is the server between.
// `?pieces=` and `?every=` of the model name `m-<pieces>-<milliseconds>` set how many chunks come, and how far apart.
import { createServer } from 'node:http'

const text = 'A piece of the usual length. '
const usage = { promptTokenCount: 9, candidatesTokenCount: 40, totalTokenCount: 49 }
function chunk(last) {
  const candidate = {
    content: { role: 'model', parts: [{ text }] },
    index: 0,
    ...(last ? { finishReason: 'STOP' } : {}),
  }
  return JSON.stringify({ candidates: [candidate], usageMetadata: usage, modelVersion: 'm', responseId: 'r' })
}
const MIDDLE = `data: ${chunk(false)}\r\n\r\n`
const LAST = `data: ${chunk(true)}\r\n\r\n`
const WHOLE = chunk(true)

const server = createServer((request, response) => {
  request.resume()
  request.once('end', () => {
    if (!request.url.includes(':streamGenerateContent')) {
      response.writeHead(200, { 'content-type': 'application/json; charset=UTF-8' })
      response.end(WHOLE)
      return
    }
    const [, pieces = '5', every = '0'] = /m-(\d+)-(\d+)/.exec(request.url) ?? []
    let left = Number(pieces)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    if (every === '0') {
      response.end(MIDDLE.repeat(left - 1) + LAST)
      return
    }
    const timer = setInterval(() => {
      if (--left > 0) {
        response.write(MIDDLE)
        return
      }
      clearInterval(timer)
      response.end(LAST)
    }, Number(every))
    response.once('close', () => clearInterval(timer))
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
process.on('disconnect', () => process.exit())
