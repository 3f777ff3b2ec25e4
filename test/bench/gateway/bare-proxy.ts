import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'

/**
 * The least a gateway on Node's HTTP server and undici can be: reads the body, parses it, and passes it on, with nothing
 * around it. What it costs is the floor for any gateway that is built on them.
 */
const target = process.argv[2] ?? ''
const pool = new Pool(target, { connections: 2_048, pipelining: 1 })
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'host', 'content-length'])

function endToEnd(from: IncomingHttpHeaders): Record<string, string | string[]> {
  const to: Record<string, string | string[]> = {}
  for (const name in from) {
    const value = from[name]
    if (value !== undefined && !HOP_BY_HOP.has(name)) to[name] = value
  }
  return to
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body = Buffer.concat(chunks)
    JSON.parse(body.toString())
    pool.dispatch(
      { path: request.url ?? '/', method: 'POST', headers: endToEnd(request.headers), body },
      {
        onRequestStart: () => undefined,
        onResponseStart(_controller, status, headers) {
          const answer = endToEnd(headers)
          const length = headers['content-length']
          if (length !== undefined) answer['content-length'] = length
          response.writeHead(status, answer)
        },
        onResponseData: (_controller, chunk) => void response.write(chunk),
        onResponseEnd: () => void response.end(),
        onResponseError: () => void response.destroy(),
      },
    )
  })
})

server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
  process.send?.({ port: (server.address() as AddressInfo).port, pid: process.pid }),
)
// Nobody is left to ask.
process.on('disconnect', () => process.exit())
