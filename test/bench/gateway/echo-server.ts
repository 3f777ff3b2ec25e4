import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The cheapest model server there is: sends every body back at once. */
const models = JSON.stringify({
  object: 'list',
  data: [{ id: 'echo', object: 'model', created: 0, owned_by: 'bench' }],
})

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'application/json' }).end(request.url === '/v1/models' ? models : '{}')
    return
  }
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body = Buffer.concat(chunks)
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.byteLength }).end(body)
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
