import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openRaw } from '../fixtures/http-server.js'
import { readBody, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { startNodeInProcess, type NodeInProcess } from '../fixtures/node-in-process.js'
import { llmFlags, untilListed } from '../fixtures/node-pair.js'

/** A node with a model server of its own, asked over raw sockets as web pages' browsers ask and as programs do. */
let node: NodeInProcess
let server: ModelServerFixture

beforeAll(async () => {
  server = await startModelServer({
    async answer(request, response) {
      await readBody(request)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"answered":true}')
    },
  })
  const [name = '', value = '', port = '', number = ''] = llmFlags(server.port)
  const flags = { mode: 'standalone', [name.slice(2)]: value, [port.slice(2)]: number }
  node = await startNodeInProcess({ flags })
  await untilListed(node.gateway, 'test-model')
})

afterEach(async () => {
  await node.control.call('settings.set', { name: 'cors-origins', value: null })
  await node.control.call('settings.set', { name: 'allowed-hosts', value: null })
})

afterAll(async () => {
  expect(node.log()).not.toContain('a request failed inside this node')
  await node.stop()
  await server.close()
})

const BODY = JSON.stringify({ model: 'test-model', messages: [{ role: 'user', content: 'Hi' }] })
const FOREIGN = 'https://page.example'
const HANDSHAKE = [
  ...['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
]

interface Answered {
  status: number
  code: string | undefined
  text: string
  cors: boolean
}

/** Sends one request, byte by byte as it is given; resolves with the answer when the connection is over. */
async function ask(
  line: string,
  headers: readonly string[] = [],
  options: { body?: string; host?: string; at?: NodeInProcess } = {},
) {
  const { body, host = 'localhost', at = node } = options
  const length = body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
  const closing = headers.some((header) => header.startsWith('Connection:')) ? [] : ['Connection: close']
  const hosts = host === '' ? [] : [`Host: ${host}`]
  const head = [line.includes('HTTP/') ? line : `${line} HTTP/1.1`, ...hosts, ...headers, ...length, ...closing]
  const { text } = await openRaw(Number(new URL(at.gateway).port), `${head.join('\r\n')}\r\n\r\n${body ?? ''}`).ended
  return {
    status: Number(text.slice(9, 12)),
    code: /"code":"(\w+)"/.exec(text)?.[1],
    text,
    cors: /^access-control-/im.test(text),
  } satisfies Answered
}

/** What reached the model server while `act` ran. */
async function reaching(act: () => Promise<void>): Promise<string[]> {
  const before = server.requests.length
  await act()
  return server.requests.slice(before).map(({ method, url }) => `${method} ${url}`)
}

const asPage = {
  'a page that fetches': [`Origin: ${FOREIGN}`, 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: cors'],
  'a page in an older browser': [`Origin: ${FOREIGN}`],
  'a sandboxed page': ['Origin: null', 'Sec-Fetch-Site: cross-site'],
  'an image': ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors', 'Sec-Fetch-Dest: image'],
  'a script of another port': ['Sec-Fetch-Site: same-site', 'Sec-Fetch-Mode: no-cors', 'Sec-Fetch-Dest: script'],
  'a frame': ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: iframe'],
  'a form': [
    `Origin: ${FOREIGN}`,
    'Sec-Fetch-Site: cross-site',
    'Sec-Fetch-Mode: navigate',
    'Sec-Fetch-Dest: document',
  ],
}

describe.each(Object.entries(asPage))('%s', (_name, headers) => {
  test.each([
    'GET /v1/_service/llm/shutdown',
    'POST /v1/_service/llm/v1/chat/completions',
    'DELETE /v1/_service/llm/v1/admin/keys?all=1',
    'POST /v1/service/llm/v1/load_lora_adapter',
    'GET /v1/service/llm/props',
    'POST /v1/audio/..%2f..%2fapi%2fpull',
    'GET /v1/dnt/table?all=1',
    'GET /v1/dnt/peers',
    'GET /v1/dnt/bootstraps',
    'POST /v1/dnt/_node',
    'GET /v1/health',
    'GET /metrics',
    'GET /',
    'GET /openapi.json',
    'GET /docs/start.js',
  ])('gets nothing of %s, and nothing runs', async (line) => {
    const reached = await reaching(async () => {
      const body = line.startsWith('POST') ? BODY : undefined
      const answer = await ask(line, headers, body === undefined ? {} : { body })
      expect(answer).toMatchObject({ status: 403, code: 'forbidden_origin', cors: false })
      expect(answer.text).not.toContain(node.peerId)
    })
    expect(reached).toEqual([])
  })

  test('runs no model where cors-origins names others, whether or not it could read the answer', async () => {
    await node.control.call('settings.set', { name: 'cors-origins', value: 'https://mine.example' })
    const reached = await reaching(async () => {
      for (const line of ['POST /v1/chat/completions', 'POST /v1/service/llm/v1/completions', 'POST /v1/embeddings']) {
        const answer = await ask(line, [...headers, 'Content-Type: text/plain'], { body: BODY })
        expect(answer).toMatchObject({ status: 403, code: 'forbidden_origin', cors: false })
      }
    })
    expect(reached).toEqual([])
  })
})

describe('a page that cors-origins lets in', () => {
  const headers = [`Origin: ${FOREIGN}`, 'Sec-Fetch-Site: cross-site', 'Referer: https://page.example/secret?x=1']

  test('runs a model, and the server behind learns nothing of the page', async () => {
    for (const value of [null, FOREIGN]) {
      await node.control.call('settings.set', { name: 'cors-origins', value })
      for (const path of ['/v1/chat/completions', '/v1/service/llm/v1/chat/completions']) {
        const answer = await ask(`POST ${path}`, [...headers, 'Content-Type: application/json'], { body: BODY })
        expect(answer).toMatchObject({ status: 200, cors: true })
        const seen = server.requests.at(-1)
        expect(seen?.url).toBe('/v1/chat/completions')
        expect(Object.keys(seen?.headers ?? {}).filter((name) => /^(origin|referer|sec-fetch-.*)$/.test(name))).toEqual(
          [],
        )
      }
    }
  })

  test('sees which models there are, and no peer id', async () => {
    const answer = await ask('GET /v1/models', headers)
    expect(answer).toMatchObject({ status: 200, cors: true })
    expect(answer.text).toContain('test-model')
    expect(answer.text).not.toContain(node.peerId)
    expect((await ask('GET /v1/models/test-model', headers)).text).not.toContain(node.peerId)
    expect((await ask('GET /v1/models')).text).toContain(node.peerId)
  })

  test('has its preflight answered for the model API only', async () => {
    const preflight = (path: string, method: string) =>
      ask(`OPTIONS ${path}`, [
        ...headers,
        `Access-Control-Request-Method: ${method}`,
        'Access-Control-Request-Private-Network: true',
      ])
    expect(await preflight('/v1/chat/completions', 'POST')).toMatchObject({ status: 204, cors: true })
    for (const [path, method] of [
      ['/v1/_service/llm/v1/admin', 'DELETE'],
      ['/v1/service/llm/v1/models', 'DELETE'],
      ['/v1/dnt/_node', 'POST'],
      ['/v1/dnt/table', 'GET'],
      ['/metrics', 'GET'],
      ['/', 'GET'],
    ] as const) {
      const answer = await preflight(path, method)
      expect(answer, path).toMatchObject({ status: 403, code: 'forbidden_origin', cors: false })
    }
    await node.control.call('settings.set', { name: 'cors-origins', value: 'https://mine.example' })
    expect(await preflight('/v1/chat/completions', 'POST')).toMatchObject({ status: 403, cors: false })
  })
})

test('a page is refused before its body is read', async () => {
  const headers = [`Origin: ${FOREIGN}`, 'Content-Length: 30000000', 'Connection: close']
  const port = Number(new URL(node.gateway).port)
  const connection = openRaw(
    port,
    `POST /v1/_service/llm/x HTTP/1.1\r\nHost: localhost\r\n${headers.join('\r\n')}\r\n\r\n{`,
  )
  await expect.poll(() => connection.seen()).toMatch(/^HTTP\/1\.1 403 [^]*forbidden_origin/)
  connection.socket.destroy()
})

test('a page’s WebSocket reaches a model and no other service', async () => {
  const reached = await reaching(async () => {
    for (const path of ['/v1/_service/llm/ws', '/v1/service/llm/ws', '/metrics']) {
      const answer = await ask(`GET ${path}`, [`Origin: ${FOREIGN}`, ...HANDSHAKE])
      expect(answer, path).toMatchObject({ status: 403, code: 'forbidden_origin' })
    }
    await node.control.call('settings.set', { name: 'cors-origins', value: 'https://mine.example' })
    const answer = await ask('GET /v1/realtime?model=test-model', [`Origin: ${FOREIGN}`, ...HANDSHAKE])
    expect(answer).toMatchObject({ status: 403, code: 'forbidden_origin' })
  })
  expect(reached).toEqual([])
})

test('a program keeps every path of its own server', async () => {
  await node.control.call('settings.set', { name: 'cors-origins', value: 'https://mine.example' })
  const reached = await reaching(async () => {
    for (const headers of [
      [],
      ['Sec-Fetch-Site: none'],
      ['Referer: https://page.example/'],
      ['Sec-Fetch-Mode: cors'],
    ]) {
      expect((await ask('GET /v1/_service/llm/props', headers)).status).toBe(200)
    }
  })
  expect(reached).toEqual(Array.from({ length: 4 }, () => 'GET /props'))
})

test('the gateway’s own pages may use it, and no page may frame them or keep their window', async () => {
  const own = ['Sec-Fetch-Site: same-origin', `Origin: ${node.gateway}`]
  const host = new URL(node.gateway).host
  expect((await ask('POST /v1/_service/llm/props', own, { host, body: '{}' })).status).toBe(200)
  expect((await ask('GET /v1/dnt/table', ['Sec-Fetch-Site: same-origin'], { host })).status).toBe(200)
  const link = ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document']
  for (const path of ['/', '/docs']) {
    const { status, text, cors } = await ask(`GET ${path}`, link)
    expect([status, cors]).toEqual([200, false])
    expect(text).toMatch(/^x-frame-options: deny/im)
    expect(text).toMatch(/^content-security-policy: .*frame-ancestors 'none'/im)
    expect(text).toMatch(/^cross-origin-opener-policy: same-origin/im)
    expect(text).toMatch(/^cross-origin-resource-policy: same-origin/im)
  }
})

describe('the Host', () => {
  test('has to be a name of this gateway, which allowed-hosts gives it while it runs', async () => {
    const models = (host: string) => ask('GET /v1/models', [], { host })
    const refused = await models('Node.example.org.:443')
    expect(refused).toMatchObject({ status: 403, code: 'forbidden_host', cors: false })
    expect(refused.text).toContain('allowed-hosts')
    await node.control.call('settings.set', { name: 'allowed-hosts', value: 'node.example.org,*.ts.net' })
    for (const host of ['Node.example.org.:443', 'box.tail1.ts.net', 'localhost.', '[::1]:1']) {
      expect((await models(host)).status, host).toBe(200)
    }
    for (const host of ['example.org', 'ts.net', 'evil.example', 'localhost.evil.example']) {
      expect(await models(host), host).toMatchObject({ status: 403, code: 'forbidden_host' })
    }
    await node.control.call('settings.set', { name: 'allowed-hosts', value: null })
    expect((await models('node.example.org')).status).toBe(403)
  })

  test('is held to those names also where the gateway listens on more than loopback', async () => {
    // An address of this machine alone, and none of those that mean loopback.
    const at = await startNodeInProcess({ flags: { mode: 'standalone', host: '::ffff:127.0.0.1' } })
    try {
      for (const host of ['evil.example', 'box.lan', 'localhost.evil.example:8092']) {
        for (const line of ['GET /metrics', 'GET /v1/dnt/stats', 'POST /v1/_service/llm/api/pull', 'GET /v1/models']) {
          expect(await ask(line, [], { host, at }), line).toMatchObject({ status: 403, code: 'forbidden_host' })
        }
      }
      for (const host of ['192.168.1.4:8092', '[2001:db8::1]', 'localhost']) {
        expect((await ask('GET /v1/models', [], { host, at })).status, host).toBe(200)
      }
    } finally {
      await at.stop()
    }
  })

  test('of a setting that is no name is refused with what one looks like', async () => {
    await expect(
      node.control.call('settings.set', { name: 'allowed-hosts', value: 'https://node.example.org:443' }),
    ).rejects.toThrow('a host name like node.example.org')
  })

  test('of a container opens the models and nothing else', async () => {
    const host = 'host.docker.internal:8092'
    expect(
      (await ask('POST /v1/chat/completions', ['Content-Type: application/json'], { host, body: BODY })).status,
    ).toBe(200)
    for (const line of ['GET /metrics', 'GET /v1/dnt/table', 'GET /v1/_service/llm/props', 'GET /']) {
      expect(await ask(line, [], { host }), line).toMatchObject({ status: 403, code: 'forbidden_host' })
    }
  })

  test('may be any for the addresses other nodes start from, and then they are those for strangers', async () => {
    const forwarded = [
      'X-Forwarded-For: 198.51.100.7',
      'X-Forwarded-Host: node.example.org',
      'X-Forwarded-Proto: https',
    ]
    for (const headers of [forwarded, []]) {
      const answer = await ask('GET /v1/dnt/bootstraps', headers, { host: 'node.example.org' })
      expect(answer.status).toBe(200)
      expect(answer.text).toContain('{"bootstraps":[]}')
    }
    expect((await ask('GET /v1/dnt/bootstraps')).text).toContain('/ip4/127.0.0.1/tcp/')
    await node.control.call('settings.set', { name: 'allowed-hosts', value: 'node.example.org' })
    const listed = await ask('GET /v1/dnt/bootstraps', [], { host: 'node.example.org' })
    expect(listed.text).toContain('{"bootstraps":[]}')
  })

  test('is taken from no other header', async () => {
    const headers = ['X-Forwarded-Host: localhost', 'X-Original-Host: localhost', 'Forwarded: host=localhost']
    expect((await ask('GET /v1/models', headers, { host: 'evil.example' })).code).toBe('forbidden_host')
  })

  test('may be missing from an HTTP/1.0 health check', async () => {
    expect((await ask('GET /v1/health HTTP/1.0', [], { host: '' })).status).toBe(200)
    for (const path of ['/v1/models', '/metrics', '/v1/_service/llm/props']) {
      expect((await ask(`GET ${path} HTTP/1.0`, [], { host: '' })).code, path).toBe('forbidden_host')
    }
  })
})

describe('an absolute request target', () => {
  test('is answered as its path is, under the name in it', async () => {
    for (const authority of ['localhost', 'LOCALHOST:8092', '127.0.0.1:1', '[::1]']) {
      const answer = await ask(`GET http://${authority}/v1/models?x=1`, [], { host: 'evil.example' })
      expect(answer.status, authority).toBe(200)
      expect(answer.text).toContain('test-model')
    }
    expect((await ask('GET http://localhost')).text).toContain('Open Compute gateway')
    const chat = await ask('POST HTTP://localhost/v1/chat/completions', ['Proxy-Connection: Keep-Alive'], {
      body: BODY,
    })
    expect(chat.status).toBe(200)
    expect(server.requests.at(-1)).toMatchObject({ url: '/v1/chat/completions' })
  })

  test('of another name is refused, whatever Host says, so the gateway is no proxy', async () => {
    const reached = await reaching(async () => {
      for (const target of ['http://evil.example/v1/models', 'http://u@localhost/v1/models', 'http://evil.example']) {
        expect((await ask(`GET ${target}`)).code, target).toBe('forbidden_host')
      }
      expect((await ask('GET http://localhost/v1/_service/llm/x', [`Origin: ${FOREIGN}`])).code).toBe(
        'forbidden_origin',
      )
    })
    expect(reached).toEqual([])
  })
})
