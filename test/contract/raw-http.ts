import { request } from 'node:http'
import { connect } from 'node:net'

/** An answer as it came over the wire. */
export interface RawAnswer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
}

/** A request with exactly these headers and this path: nothing is normalised, as an attacker would send it. */
export function rawRequest(options: {
  port: number
  path: string
  method?: string
  headers?: Record<string, string>
  body?: string | Buffer
}): Promise<RawAnswer> {
  const { port, path, method = 'GET', headers = {}, body } = options
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text })
      })
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** The status line's number of an upgrade request, 101 when it was let through. */
export function rawUpgrade(options: { port: number; path: string; headers: Record<string, string> }): Promise<number> {
  const lines = Object.entries({
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...options.headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return new Promise((resolve, reject) => {
    const socket = connect(options.port, '127.0.0.1', () => {
      socket.write(`GET ${options.path} HTTP/1.1\r\n${lines.join('')}\r\n`)
    })
    socket.on('error', reject)
    socket.once('data', (data) => {
      resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(String(data))?.[1]))
      socket.destroy()
    })
  })
}

/** The error code in an answer's body. */
export function codeOf(answer: RawAnswer): string {
  return (JSON.parse(answer.body) as { error: { code: string } }).error.code
}
