import { multiaddr } from '@multiformats/multiaddr'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { HTTP_PROTOCOL, StreamDuplex } from '../../src-main/p2p/http/stream-duplex.js'
import type { Host } from '../../src-main/p2p/index.js'
import { createHosts } from '../fixtures/hosts.js'
import { openRaw } from '../fixtures/http-server.js'
import { startActingServer, type Act, type ActingServer } from '../fixtures/model-servers/acting-server.js'
import { llmFlags } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { startOwnNode, type OwnNode } from '../fixtures/own-node.js'
import { until } from '../fixtures/until.js'

/** Every provider has `shared`; `peers-only` is what the user's own node has not; `only-N` is peer N's alone. */
const SHARED = 'shared'
const PEERS_ONLY = 'peers-only'

const PEERS = 4
const STRANGER = '12D3KooWGRUFBDQB7ZCJ4QG1YQv5kDTJwZ3T1Xg6QBMsbLHwoVxR'
/** Not so short that a busy machine takes it for a client that is slow. */
const HEADERS_TIMEOUT_MS = 1_500

interface Peer {
  node: NodeProcess
  server: ActingServer
}

let user: OwnNode
/** Gives up an answer that is silent for two seconds. */
let impatient: NodeProcess
let own: ActingServer
let peers: Peer[]
const hosts = createHosts()

const providersOf = async (gateway: string, model: string): Promise<number> => {
  const { data } = (await (await fetch(`${gateway}/v1/models`)).json()) as {
    data: { id: string; ocf: { providers: number } }[]
  }
  return data.find(({ id }) => id === model)?.ocf.providers ?? 0
}

beforeAll(async () => {
  own = await startActingServer([SHARED])
  user = await startOwnNode(
    {
      ...{ 'demo-model': 'off', 'service.name': 'llm', 'service.port': own.port },
      // One place: a single request leaves this node without room.
      'limits.concurrent': 1,
      // Its peers are strangers: they may answer for its own models, and as many as are asked may read a request.
      'use.overflow': '*',
      'use.exposure': 4,
    },
    { commentEveryMs: 50, headersTimeoutMs: HEADERS_TIMEOUT_MS },
  )
  const flags = ['--bootstrap.sources', `${user.gateway}/v1/dnt/bootstraps`, '--demo-model', 'off']
  const startPeer = async (_: unknown, index: number): Promise<Peer> => {
    const server = await startActingServer([SHARED, PEERS_ONLY, `only-${index}`])
    return { server, node: await startNodeProcess({ flags: [...flags, ...llmFlags(server.port)] }) }
  }
  ;[impatient, peers] = await Promise.all([
    startNodeProcess({ flags: [...flags, '--gateway.idle-timeout', '2s'] }),
    Promise.all(Array.from({ length: PEERS }, startPeer)),
  ])
  for (const { gateway } of [user, impatient]) {
    await until(async () => (await providersOf(gateway, PEERS_ONLY)) === PEERS, {
      ...{ what: `${gateway} knows all providers`, limitMs: 30_000 },
    })
  }
})

afterEach(() => {
  for (const server of [own, ...peers.map((peer) => peer.server)]) server.release()
})

afterAll(async () => {
  await hosts.close()
  await Promise.all([impatient, ...peers.map(({ node }) => node)].map((node) => node.stop()))
  await user.stop()
  await Promise.all([own, ...peers.map(({ server }) => server)].map((server) => server.close()))
})

/** Peers that failed are left alone for a while; one that answers is free at once. */
async function recovered(): Promise<void> {
  await Promise.all(idsOf(peers).map((peerId) => fetch(`${impatient.gateway}/v1/p2p/${peerId}/v1/health`)))
  await until(async () => (await providersOf(impatient.gateway, PEERS_ONLY)) === PEERS, { what: 'all are back' })
}

let marks = 0

/** A request like no other before: nobody has a cache of how its conversation begins. */
const newBody = (body: { model: string; act?: Act; stream?: boolean; mark?: string }) => {
  marks += 1
  const mark = body.mark ?? `mark-${marks}`
  return { mark, messages: [{ role: 'user', content: `Question ${marks}` }], ...body }
}

interface Asking {
  headers?: Record<string, string>
  gateway?: string
  path?: string
}

const post = (body: object, { headers, gateway = user.gateway, path = '/v1/chat/completions' }: Asking = {}) =>
  fetch(`${gateway}${path}`, {
    ...{ method: 'POST', body: JSON.stringify(body) },
    headers: { 'content-type': 'application/json', ...headers },
  })

/** Asks and tells who answered. */
async function whoAnswers(body: object, asking?: Asking): Promise<string> {
  const response = await post(body, asking)
  await response.text()
  expect(response.status).toBe(200)
  return response.headers.get('x-computing-node') ?? ''
}

async function whoAnswersEach(count: number, model: string, asking?: Asking): Promise<string[]> {
  const answered: string[] = []
  for (let turn = 0; turn < count; turn += 1) answered.push(await whoAnswers(newBody({ model }), asking))
  return answered
}

/** Asks until one peer has answered `run` times in a row, which must be within `limit` times; resolves to that peer. */
async function untilSame(run: number, limit: number, ask: () => Promise<string>): Promise<string> {
  const answered: string[] = []
  while (answered.length < limit) {
    answered.push(await ask())
    if (answered.length >= run && new Set(answered.slice(-run)).size === 1) return answered.at(-1)!
  }
  throw new Error(`nobody answered ${run} times in a row: ${answered.join(' ')}`)
}

const errorOf = async (response: Response) => ((await response.json()) as { error: Record<string, unknown> }).error
const portOf = (gateway: string): number => Number(new URL(gateway).port)
const idsOf = (some: readonly Peer[]): string[] => some.map(({ node }) => node.peerId)
const seenBy = (mark: string): number[] =>
  [own, ...peers.map(({ server }) => server)].map(({ seen }) => seen.filter((one) => one.mark === mark).length)

describe('the choice', () => {
  test('leaves a conversation with who answered it', async () => {
    const messages = [
      { role: 'system', content: 'You are brief.' },
      { role: 'user', content: 'Tell me a story.' },
    ]
    // A warm peer that a busy machine makes look slow may lose it once; by chance no run of turns is that long.
    await untilSame(10, 30, () => {
      messages.push({ role: 'assistant', content: 'Part' }, { role: 'user', content: 'Go on.' })
      return whoAnswers({ model: PEERS_ONLY, messages })
    })
  })

  test('spreads other conversations', async () => {
    expect(new Set(await whoAnswersEach(16, PEERS_ONLY)).size).toBeGreaterThan(1)
  })

  test('is this node first while it has room, its peers while it has none', async () => {
    expect(new Set(await whoAnswersEach(6, SHARED))).toEqual(new Set([user.peerId]))
    const held = post(newBody({ model: SHARED, act: 'hold' }))
    await until(() => own.held() === 1, { what: 'the own place is taken' })
    for (const peerId of await whoAnswersEach(6, SHARED)) expect(idsOf(peers)).toContain(peerId)
    own.release()
    const response = await held
    expect(response.headers.get('x-computing-node')).toBe(user.peerId)
    await response.text()
    await until(async () => (await whoAnswers(newBody({ model: SHARED }))) === user.peerId, {
      what: 'this node is first again',
    })
  })

  test('of two is the one with less to do', async () => {
    const [busy, free, ...others] = peers as [Peer, Peer, ...Peer[]]
    const two = { 'x-ocf-exclude': idsOf(others).join(',') }
    const held = Array.from({ length: 3 }, () =>
      whoAnswers(newBody({ model: PEERS_ONLY, act: 'hold' }), {
        headers: { ...two, 'x-ocf-prefer': busy.node.peerId },
      }),
    )
    await until(() => busy.server.held() === 3, { what: 'one is busy' })
    // What was measured before counts until the waiting tells more.
    const ask = (): Promise<string> => whoAnswers(newBody({ model: PEERS_ONLY }), { headers: two })
    await until(async () => (await untilSame(14, 500, ask)) === free.node.peerId, {
      what: 'the free one is settled on',
    })
    busy.server.release()
    expect(new Set(await Promise.all(held))).toEqual(new Set([busy.node.peerId]))
  })

  test('is tried on four distinct providers and no more, this node among them', async () => {
    const response = await post(newBody({ model: SHARED, act: 'refuse', mark: 'refused' }))
    expect(response.status).toBe(503)
    const { code, message } = await errorOf(response)
    expect(code).toBe('no_provider')
    const [atHome, ...elsewhere] = seenBy('refused')
    expect(atHome).toBe(1)
    expect(elsewhere.toSorted()).toEqual([0, 1, 1, 1])
    const named = idsOf(peers).filter((peerId) => String(message).includes(peerId))
    expect(named).toEqual(idsOf(peers.filter((_, index) => elsewhere[index] === 1)))
  })
})

describe('X-Ocf-Exclude', () => {
  test('leaves out every peer of its list, whatever else stands in it', async () => {
    const [first, second, ...others] = idsOf(peers)
    const headers = { 'x-ocf-exclude': `${first}, no-peer-id,,${STRANGER} , ${second}` }
    for (const peerId of await whoAnswersEach(8, PEERS_ONLY, { headers })) expect(others).toContain(peerId)
  })

  test('of unknown peers alone changes nothing', async () => {
    const headers = { 'x-ocf-exclude': `${STRANGER},*,%00` }
    expect(await whoAnswers(newBody({ model: SHARED }), { headers })).toBe(user.peerId)
  })

  test('leaves out this node by its own id', async () => {
    const headers = { 'x-ocf-exclude': user.peerId }
    for (const peerId of await whoAnswersEach(4, SHARED, { headers })) expect(idsOf(peers)).toContain(peerId)
  })

  test('of everybody is an error in the shape of all errors', async () => {
    const headers = { 'x-ocf-exclude': [user.peerId, ...idsOf(peers)].join(',') }
    for (const model of [SHARED, PEERS_ONLY]) {
      const response = await post(newBody({ model, mark: 'excluded' }), { headers })
      expect(response.status).toBe(503)
      expect(response.headers.get('retry-after')).toMatch(/^\d+$/)
      expect(await errorOf(response)).toMatchObject({ code: 'no_provider', param: null })
    }
    expect(seenBy('excluded')).toEqual([0, 0, 0, 0, 0])
  })
})

describe('requests are routed by their model', () => {
  test.each(['/v1/messages/count_tokens', '/v1/images/generations', '/v1/rerank'])('at %s', async (path) => {
    for (const [index, { node, server }] of peers.entries()) {
      const model = `only-${index}`
      expect(await whoAnswers(newBody({ model, mark: path }), { path })).toBe(node.peerId)
      expect(server.seen.at(-1)).toMatchObject({ url: path, model, mark: path })
    }
  })
})

describe('a client that waits', () => {
  test('for events gets comments; one that waits for NDJSON or JSON gets its answer alone', async () => {
    const lines = '/v1/service/llm/api/chat'
    const hold = { model: PEERS_ONLY, act: 'hold' } as const
    const plain = [
      post(newBody({ ...hold, stream: true }), { path: lines }),
      post(newBody({ ...hold, stream: false })),
      post(newBody(hold)),
    ]
    const events = await post(newBody({ ...hold, stream: true }))
    const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while (text.split(': waiting\n\n').length < 4) {
      const { value, done } = await reader.read()
      if (done) break
      text += value
    }
    expect(text).toMatch(/^(: waiting\n\n){3,}$/)
    const heldNow = (): number => peers.reduce((sum, { server }) => sum + server.held(), 0)
    await until(() => heldNow() === 4, { what: 'all are held' })
    for (const { server } of peers) server.release()
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value
    expect(text).toMatch(/^(: waiting\n\n)+data: \{.*\}\n\ndata: \[DONE\]\n\n$/)
    const [ndjson, ...json] = await Promise.all(plain)
    expect(ndjson!.headers.get('content-type')).toBe('application/x-ndjson')
    expect(await ndjson!.text()).toBe('{"piece":"/api/chat","done":true}\n')
    for (const response of json) {
      expect(response.headers.get('content-type')).toBe('application/json')
      expect(await response.text()).toBe('{"piece":"/v1/chat/completions","done":true}\n')
    }
  })
})

describe('an answer that breaks off never looks complete', () => {
  afterEach(recovered)

  /** All that came over a connection of its own. */
  const rawAnswer = (body: object, headers = ''): Promise<{ text: string; reset: boolean }> => {
    const bytes = JSON.stringify(body)
    const head = `POST /v1/service/llm/api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${headers}`
    return openRaw(
      portOf(impatient.gateway),
      `${head}Content-Length: ${Buffer.byteLength(bytes)}\r\nConnection: close\r\n\r\n${bytes}`,
    ).ended
  }

  function expectBrokenLines({ text }: { text: string }): void {
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(text).toMatch(/transfer-encoding: chunked/i)
    expect(text).toContain('{"piece":"/api/chat","done":false}\n')
    const last = /^\{"message".*\}$/m.exec(text)?.[0] ?? '{}'
    // Ollama's clients look for a sentence in it.
    expect(JSON.parse(last)).toMatchObject({ error: expect.stringContaining('The answer broke off') as string })
    expect(text).not.toContain('"done":true')
  }

  test('NDJSON whose provider is lost ends with a line that says so', async () => {
    expectBrokenLines(await rawAnswer(newBody({ model: PEERS_ONLY, stream: true, act: 'cut' })))
  })

  test('a provider that goes silent: NDJSON and events end in an error, no answer is 504', async () => {
    const [first, second, third, fourth] = idsOf(peers) as [string, string, string, string]
    const silent = { model: PEERS_ONLY, stream: true, act: 'silent' } as const
    const { gateway } = impatient
    const [lines, events, none] = await Promise.all([
      rawAnswer(newBody(silent), `X-Ocf-Prefer: ${first}\r\n`),
      post(newBody(silent), { gateway, headers: { 'x-ocf-prefer': second } }).then((response) => response.text()),
      post(newBody({ model: PEERS_ONLY, act: 'hold' }), {
        ...{ gateway, headers: { 'x-ocf-exclude': [first, second, fourth].join(',') } },
      }),
    ])
    expectBrokenLines(lines)
    expect(events).toMatch(/^data: \{[^\n]*piece[^\n]*\n\nevent: error\ndata: \{[^\n]*\}\n\n$/)
    const told = JSON.parse(events.slice(events.lastIndexOf('data: ') + 6)) as unknown
    expect(told).toMatchObject({ error: { code: 'upstream_timeout' } })
    expect(none.status).toBe(504)
    const { code, message } = await errorOf(none)
    expect(code).toBe('upstream_timeout')
    expect(message).toContain(third)
  })
})

describe('a client of the local listener', () => {
  const HANG_GUARD_MS = 15_000

  test.each([
    ['its request line', 'GET /v1/mod'],
    ['its headers', 'GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n'],
    ['anything', ''],
  ])(
    'that never finishes %s is told 408 and closed',
    async (_what, bytes) => {
      const { text } = await openRaw(portOf(user.gateway), bytes).ended
      expect(text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
      expect(text).toMatch(/connection: close/i)
    },
    HANG_GUARD_MS,
  )

  test(
    'that sends a byte now and then gets no more time',
    async () => {
      const { socket, ended } = openRaw(portOf(user.gateway), 'GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-A: ')
      const dripping = setInterval(() => {
        if (socket.writable) socket.write('b')
      }, HEADERS_TIMEOUT_MS / 10)
      const { text } = await ended
      clearInterval(dripping)
      expect(text).not.toContain('200 OK')
    },
    HANG_GUARD_MS,
  )

  test('that reads nothing is cut, and the server behind the peer is asked for little', async () => {
    const { server, node } = peers[0]!
    const body = JSON.stringify(newBody({ model: PEERS_ONLY, act: 'huge', mark: 'unread' }))
    const { socket } = openRaw(portOf(impatient.gateway), '')
    socket.pause()
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nX-Ocf-Prefer: ${node.peerId}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
    try {
      await until(() => server.aborted.has('unread'), { what: 'the server is left alone', limitMs: 30_000 })
      expect(server.sentBytes()).toBeGreaterThan(0)
      expect(server.sentBytes()).toBeLessThan(96 * 1024 * 1024)
    } finally {
      socket.destroy()
    }
  })
})

describe('bytes on a stream of the peer listener that two servers could read differently', () => {
  const PATH = '/v1/_service/llm/v1/chat/completions'
  const outer = JSON.stringify({ model: PEERS_ONLY, mark: 'outer' })
  const hidden = JSON.stringify({ model: PEERS_ONLY, mark: 'hidden' })
  const head = (headers: string): string =>
    `POST ${PATH} HTTP/1.1\r\nHost: peer\r\nContent-Type: application/json\r\n${headers}\r\n`
  const whole = (body: string): string => `${head(`Content-Length: ${body.length}\r\n`)}${body}`
  const chunk = (body: string, size = body.length.toString(16)): string => `${size}\r\n${body}\r\n`
  const CHUNKED = 'Transfer-Encoding: chunked\r\n'

  let host: Host
  beforeAll(async () => {
    host = await hosts.host({ mode: 'standalone' })
  })

  /** Sends bytes on a stream of their own; resolves with what came back when `isEnough` or the stream has ended. */
  async function exchange(bytes: string, isEnough: (text: string) => boolean = () => false): Promise<string> {
    const connection = await host.libp2p.dial(peers[0]!.node.multiaddrs.map((address) => multiaddr(address)))
    const socket = new StreamDuplex(await connection.newStream(HTTP_PROTOCOL), connection)
    let text = ''
    return await new Promise((resolve) => {
      socket.on('error', () => undefined).once('close', () => resolve(text))
      socket.on('end', () => socket.destroy())
      socket.on('data', (part: Buffer) => {
        text += part.toString('latin1')
        if (isEnough(text)) socket.destroy()
      })
      socket.write(bytes)
    })
  }

  test('two well-formed requests in a row are both served', async () => {
    const before = peers[0]!.server.seen.length
    const text = await exchange(
      `${head(CHUNKED)}${chunk(outer)}0\r\n\r\n${whole(hidden)}`,
      (seen) => seen.split('"done":true}').length > 2,
    )
    expect(text.split('HTTP/1.1 200 OK')).toHaveLength(3)
    expect(peers[0]!.server.seen.slice(before).map(({ mark }) => mark)).toEqual(['outer', 'hidden'])
  })

  test.each([
    ['a length and chunks', `${head(`Content-Length: ${outer.length}\r\n${CHUNKED}`)}${chunk(outer)}0\r\n\r\n`],
    ['chunks and a length', `${head(`${CHUNKED}Content-Length: ${outer.length}\r\n`)}${chunk(outer)}0\r\n\r\n`],
    ['two lengths', `${head(`Content-Length: ${outer.length}\r\nContent-Length: 0\r\n`)}${outer}`],
    ['a folded header', `${head(`Content-Length: ${outer.length}\r\nX-A: b\r\n c\r\n`)}${outer}`],
    ['a folded encoding', `${head('Transfer-Encoding:\r\n chunked\r\n')}${chunk(outer)}0\r\n\r\n`],
    ['a chunk size that is none', `${head(CHUNKED)}${chunk(outer, 'zz')}0\r\n\r\n`],
    ['a chunk size with a prefix', `${head(CHUNKED)}${chunk(outer, `0x${outer.length.toString(16)}`)}0\r\n\r\n`],
    ['a chunk that is longer than it says', `${head(CHUNKED)}${chunk(outer, '5')}0\r\n\r\n`],
    ['bare line feeds', `${head(`Content-Length: ${outer.length}\r\n`).replaceAll('\r\n', '\n')}${outer}`],
    ['one bare line feed', `${head(`Content-Length: ${outer.length}\nX-A: b\r\n`)}${outer}`],
    ['bare line feeds between chunks', `${head(CHUNKED)}${chunk(outer).replaceAll('\r\n', '\n')}0\n\n`],
  ])('%s: the stream ends, and the server sees no request', async (_name, bytes) => {
    const { server } = peers[0]!
    const before = server.seen.length
    const text = await exchange(`${bytes}${whole(hidden)}`)
    expect(text).not.toMatch(/^HTTP\/1\.1 [23]/m)
    // Whatever it had been sent before would have come first.
    await exchange(whole(JSON.stringify({ model: PEERS_ONLY, mark: 'after' })), (seen) => seen.includes('"done":true}'))
    expect(server.seen.slice(before).map(({ mark }) => mark)).toEqual(['after'])
  })
})
