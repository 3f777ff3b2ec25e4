import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { machineMs } from './machine-clock.ts'

/** What a request of the bench may ask for beside its echo. */
export interface Ask {
  model: string
  /** For `/v1/chat/completions`: tokens and the milliseconds between two of them. */
  tokens?: number
  everyMs?: number
  /** For `/v1/bytes`: the length of the answer. */
  bytes?: number
}

/** The cheapest model server there is: echoes, streams tokens that carry the time they left, or sends many bytes. */
const models = JSON.stringify({
  object: 'list',
  data: [{ id: 'echo', object: 'model', created: 0, owned_by: 'bench' }],
})
const BLOCK = Buffer.alloc(64 * 1024, 7)

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'application/json' }).end(request.url === '/v1/models' ? models : '{}')
    return
  }
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => answer(request, response, Buffer.concat(chunks)))
})

function answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  if (request.url === '/v1/chat/completions') streamTokens(response, JSON.parse(body.toString()) as Ask)
  else if (request.url === '/v1/bytes') sendBytes(response, JSON.parse(body.toString()) as Ask)
  else response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.byteLength }).end(body)
}

/** Tokens on a fixed beat: a late timer sends the next one sooner, so that the total is the same whoever asks. */
function streamTokens(response: ServerResponse, { tokens = 0, everyMs = 5 }: Ask): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  response.flushHeaders()
  const startedAt = machineMs()
  let sent = 0
  let timer: NodeJS.Timeout
  const next = (): void => {
    sent += 1
    response.write(`data: {"choices":[{"index":0,"delta":{"content":" token"}}],"sentAt":${machineMs()}}\n\n`)
    if (sent === tokens) response.end('data: [DONE]\n\n')
    else timer = setTimeout(next, Math.max(0, startedAt + (sent + 1) * everyMs - machineMs()))
  }
  timer = setTimeout(next, everyMs)
  response.on('close', () => clearTimeout(timer))
}

function sendBytes(response: ServerResponse, { bytes = 0 }: Ask): void {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes })
  let left = bytes
  const write = (): void => {
    while (left > 0) {
      const block = left >= BLOCK.length ? BLOCK : BLOCK.subarray(0, left)
      left -= block.length
      if (!response.write(block)) return
    }
    response.end()
  }
  response.on('drain', write)
  write()
}

server.keepAliveTimeout = 60_000
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
  process.send?.({ port: (server.address() as AddressInfo).port, pid: process.pid }),
)
// Nobody is left to ask.
process.on('disconnect', () => process.exit())
