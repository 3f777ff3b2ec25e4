import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A model server that writes like a person’s own card: a token every 25 ms on `/v1/stream`, at once on `/v1/echo`. */
const TOKEN_MS = 25
const TOKENS = 80
const models = JSON.stringify({
  object: 'list',
  data: [{ id: 'echo', object: 'model', created: 0, owned_by: 'bench' }],
})
const event = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: ' token' } }] })}\n\n`

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'application/json' }).end(request.url === '/v1/models' ? models : '{}')
    return
  }
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    if (request.url !== '/v1/stream') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(Buffer.concat(chunks))
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    let left = TOKENS
    const timer = setInterval(() => {
      left -= 1
      if (left > 0) response.write(event)
      else response.end('data: [DONE]\n\n')
    }, TOKEN_MS)
    response.on('close', () => clearInterval(timer))
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
