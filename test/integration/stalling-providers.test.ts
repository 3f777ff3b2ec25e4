import type { IncomingMessage, ServerResponse } from 'node:http'
import { multiaddr } from '@multiformats/multiaddr'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeGossipMessages, TABLE_TOPIC } from '../../src-main/node-table/replicate/gossip.js'
import { createEnvelopeSigner } from '../../src-main/node-table/wire/envelope.js'
import { EPOCH_MS, epochOf } from '../../src-main/node-table/wire/epoch.js'
import { HTTP_PROTOCOL, StreamDuplex } from '../../src-main/p2p/http/stream-duplex.js'
import { startBareHost } from '../fixtures/bare-host.js'
import { createHosts } from '../fixtures/hosts.js'
import { readBody, sseChunk, startModelServer } from '../fixtures/model-servers/index.js'
import { chat, flagsToJoin, llmFlags, untilListed } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { startOwnNode, type OwnNode } from '../fixtures/own-node.js'
import { recordOffering } from '../fixtures/table-owners.js'
import { until } from '../fixtures/until.js'

const REQUESTS = 12
/** What the user waits for a sign of an answer; long beside what an honest answer takes on a busy machine. */
const PATIENCE_MS = 2_500
/** Between two drops of what drips. */
const DROP_MS = 700
const COMMENT_MS = 100
/** What the honest provider takes for clients that give up: longer than a liar takes for a head. */
const THINKING_MS = 250
/** How long they wait. */
const LEAVING_MS = 2_000
/** A model is read from the disk. */
const LOADING_MS = 4_000

/** What a liar sends first, and what over and over. */
const ACTS = {
  'sends a head and then nothing': [
    'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n',
    '',
  ],
  'drips its answer': ['HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n', 'x'],
  'drips the lines of its head': ['HTTP/1.1 200 OK\r\n', 'X-More: 1\r\n'],
  'says nothing': ['', ''],
  'says that it is at work and no more': ['', 'HTTP/1.1 102 Processing\r\n\r\n'],
} as const

type Act = keyof typeof ACTS
const ALL_ACTS = Object.keys(ACTS) as Act[]
const CLIENTS = ['patient', 'leaving'] as const
type Client = (typeof CLIENTS)[number]

/** Each liar has a model that it shares with the honest provider alone. */
const modelOf = (act: Act, client: Client): string => `${act.replaceAll(' ', '-')}-${client}`

const LOADING = ['loads before its head', 'loads behind its head'] as const

const hosts = createHosts()
let user: OwnNode
let honest: NodeProcess

beforeAll(async () => {
  const patience = { floorMs: PATIENCE_MS, unknownStreamedMs: PATIENCE_MS, unknownWholeMs: PATIENCE_MS }
  user = await startOwnNode({ 'demo-model': 'off' }, { commentEveryMs: COMMENT_MS, patience })
  hosts.defer(() => user.stop())
  const models = ALL_ACTS.flatMap((act) => CLIENTS.map((client) => modelOf(act, client)))
  const server = await startModelServer({ models: [...models, ...LOADING], answer })
  hosts.defer(() => server.close())
  honest = await startNodeProcess({ flags: ['--demo-model', 'off', ...flagsToJoin(user), ...llmFlags(server.port)] })
  hosts.defer(() => honest.stop())
  for (const model of models) await untilListed(user.gateway, model)
})
afterAll(() => hosts.close())

/** Answers at once, or as if the model had to be loaded first. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { model } = JSON.parse((await readBody(request)).toString()) as { model: string }
  if (model !== LOADING[0] && model !== LOADING[1]) {
    const thinkMs = model.endsWith('leaving') ? THINKING_MS : 0
    setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}'), thinkMs)
    return
  }
  const headers = { 'content-type': 'text/event-stream' }
  if (model === 'loads behind its head') response.writeHead(200, headers).flushHeaders()
  setTimeout(() => {
    if (!response.headersSent) response.writeHead(200, headers)
    response.end(`${sseChunk('at last')}data: [DONE]\n\n`)
  }, LOADING_MS)
}

interface Liar {
  peerId: string
  prompts: () => number
  /** What a client leaves by that gives it {@link LEAVING_MS} from when it was asked: an honest answer may take its time. */
  givenUp: () => AbortSignal
}

/** A peer that offers the model, and reads prompts. */
async function startLiar(act: Act, model: string): Promise<Liar> {
  const [first, drop] = ACTS[act]
  let prompts = 0
  let leaving = new AbortController()
  const givenUp = (): AbortSignal => {
    leaving = new AbortController()
    return leaving.signal
  }
  const host = await startBareHost()
  hosts.defer(() => host.stop())
  await host.libp2p.handle(HTTP_PROTOCOL, (stream, connection) => {
    const socket = new StreamDuplex(stream, connection)
    socket.on('error', () => undefined)
    socket.on('data', (bytes: Buffer) => {
      if (!bytes.includes('POST ')) return
      prompts += 1
      const asking = leaving
      setTimeout(() => asking.abort(), LEAVING_MS).unref()
      if (first !== '') socket.write(first)
      if (drop === '') return
      const dripping = setInterval(() => socket.write(drop), DROP_MS)
      socket.once('close', () => clearInterval(dripping))
    })
  })
  host.pubsub.subscribe(TABLE_TOPIC)
  await host.libp2p.dial(multiaddr(await addressOf(user)))
  await until(() => host.pubsub.getSubscribers(TABLE_TOPIC).length > 0, { what: 'the liar is heard' })
  const now = Date.now()
  const epoch = epochOf(now)
  const envelope = createEnvelopeSigner(host.identity.privateKey).sign({
    ...{ epoch, seq: now - epoch * EPOCH_MS, leaseMs: 600_000 },
    record: recordOffering(host.peerId, [model]),
  })
  for (const message of encodeGossipMessages([envelope])) await host.pubsub.publish(TABLE_TOPIC, message)
  await until(async () => (await providersOf(model)) === 2, { what: 'both are known' })
  return { peerId: host.peerId, prompts: () => prompts, givenUp }
}

async function addressOf({ gateway }: OwnNode): Promise<string> {
  const { bootstraps } = (await (await fetch(`${gateway}/v1/dnt/bootstraps`)).json()) as { bootstraps: string[] }
  const address = bootstraps.find((one) => one.includes('/tcp/') && !one.includes('/ws'))
  if (address === undefined) throw new Error('the node has no address')
  return address
}

async function providersOf(model: string): Promise<number> {
  const response = await fetch(`${user.gateway}/v1/models`)
  const { data } = (await response.json()) as { data: { id: string; ocf: { providers: number } }[] }
  return data.find(({ id }) => id === model)?.ocf.providers ?? 0
}

const preferring = (peerId: string): RequestInit => ({
  headers: { 'content-type': 'application/json', 'x-ocf-prefer': peerId },
})

describe.each(ALL_ACTS)('beside an honest provider, a stranger that %s', (act) => {
  test(`a stranger that ${act} holds up one request for a bounded time, and no later one`, async () => {
    const model = modelOf(act, 'patient')
    const liar = await startLiar(act, model)
    const took: number[] = []
    for (let count = 0; count < REQUESTS; count += 1) {
      const beganAt = performance.now()
      const response = await chat(
        user.gateway,
        { model, n: count },
        { ...(count === 0 ? preferring(liar.peerId) : {}), signal: AbortSignal.timeout(PATIENCE_MS * 4) },
      )
      expect([response.status, await response.text()]).toEqual([200, '{"choices":[]}'])
      expect(response.headers.get('x-computing-node')).toBe(honest.peerId)
      took.push(performance.now() - beganAt)
    }
    expect(took[0]).toBeLessThan(PATIENCE_MS * 3)
    expect(Math.max(...took.slice(1))).toBeLessThan(PATIENCE_MS)
    expect(liar.prompts()).toBeLessThanOrEqual(3)
    expect(liar.prompts()).toBeGreaterThan(0)
  })

  test(`a stranger that ${act} does not stay the favourite of clients that give up early`, async () => {
    const model = modelOf(act, 'leaving')
    const liar = await startLiar(act, model)
    await chat(user.gateway, { model }, { ...preferring(liar.peerId), signal: liar.givenUp() }).catch(() => undefined)
    expect(liar.prompts()).toBe(1)
    for (let count = 0; count < REQUESTS; count += 1) {
      const response = await chat(user.gateway, { model, n: count }, { signal: liar.givenUp() })
      expect([response.status, await response.text()]).toEqual([200, '{"choices":[]}'])
      expect(response.headers.get('x-computing-node')).toBe(honest.peerId)
    }
    expect(liar.prompts()).toBeLessThanOrEqual(3)
  })
})

test.each(LOADING)(
  'the only provider %s for longer than a request waits, and is waited for, while the client sees comments',
  async (model) => {
    const beganAt = performance.now()
    const response = await chat(user.gateway, { model, stream: true })
    const headMs = performance.now() - beganAt
    const text = await response.text()
    expect(performance.now() - beganAt).toBeGreaterThan(LOADING_MS)
    expect(headMs).toBeLessThan(LOADING_MS)
    expect(response.status).toBe(200)
    expect(text).toMatch(/^(?:: waiting\n\n){5,}data: .*at last.*\n\ndata: \[DONE\]\n\n$/)
  },
)
