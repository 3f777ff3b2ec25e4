import { join } from 'node:path'
import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, expect, test } from 'vitest'
import { createControlClient } from '../../src-main/api/client.js'
import { HTTP_PROTOCOL, StreamDuplex } from '../../src-main/p2p/http/stream-duplex.js'
import { requestOver, startLightHost } from '../fixtures/light-host.js'
import { readBody, startModelServer } from '../fixtures/model-servers/index.js'
import { chat, flagsToJoin, llmFlags } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

/** All of 127.0.0.0/8 is this machine on Linux only: how one machine is many addresses. */
const onLinux = test.skipIf(process.platform !== 'linux')
const CROWDED = '127.0.0.66'
const ELSEWHERE = '127.0.0.7'
const CHAT = '/v1/_service/llm/v1/chat/completions'
/** How long an honest peer may wait for an answer. */
const PATIENCE_MS = 5_000
const SETUP_MS = 60_000

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A node that shares a model whose answers take so long. */
async function startDonor(answerMs: number, ...flags: string[]): Promise<NodeProcess> {
  const server = await startModelServer({
    async answer(request, response) {
      await readBody(request)
      setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end(ANSWER), answerMs)
    },
  })
  cleanups.push(() => server.close())
  const node = await startNodeProcess({
    flags: ['--demo-model', 'off', ...llmFlags(server.port), ...flags],
  })
  cleanups.push(() => node.stop())
  return node
}

const ANSWER = JSON.stringify({ choices: [], usage: { prompt_tokens: 40, completion_tokens: 60, total_tokens: 100 } })

/** A new identity that is connected from that address. */
async function connectFrom(localAddress: string, node: NodeProcess): Promise<Connection> {
  const host = await startLightHost({ localAddress })
  cleanups.push(() => host.stop())
  const address = node.multiaddrs.find((text) => /\/tcp\/\d+\/p2p\//.test(text)) ?? ''
  return await host.dial(multiaddr(address))
}

const connectMany = (count: number, localAddress: string, node: NodeProcess): Promise<Connection[]> =>
  Promise.all(Array.from({ length: count }, () => connectFrom(localAddress, node)))

const BODY = JSON.stringify({ model: 'test-model', messages: [{ role: 'user', content: 'Hello' }] })

interface Asked {
  status: number
  tookMs: number
}

async function ask(connection: Connection): Promise<Asked> {
  const startedAt = performance.now()
  const { status } = await requestOver(connection, CHAT, { method: 'POST', body: BODY })
  return { status, tookMs: performance.now() - startedAt }
}

async function askEach(count: number, connection: Connection): Promise<Asked[]> {
  const asked: Asked[] = []
  while (asked.length < count) asked.push(await ask(connection))
  return asked
}

const isServedInTime = ({ status, tookMs }: Asked): boolean => status === 200 && tookMs < PATIENCE_MS

/** Sends a request without the end of its body; what the node sent back so far. */
async function begin(connection: Connection, body: string): Promise<{ socket: StreamDuplex; answer: () => string }> {
  const socket = new StreamDuplex(await connection.newStream(HTTP_PROTOCOL), connection)
  let answer = ''
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
  socket.on('error', () => undefined)
  socket.write(
    `POST ${CHAT} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n${body}`,
  )
  return { socket, answer: () => answer }
}

/** What was sent before over the same connection has been read once this is answered. */
const untilRead = (connection: Connection) => requestOver(connection, '/v1/health')

onLinux(
  'heads without bodies and dripping bodies of 22 identities keep no honest peer out',
  async () => {
    const donor = await startDonor(20)
    const idlers = await connectMany(22, CROWDED, donor)
    const begun = await Promise.all(idlers.map((connection, index) => begin(connection, index % 2 === 0 ? '' : '{')))
    await Promise.all(idlers.map(untilRead))
    const drip = setInterval(() => {
      for (const [index, { socket }] of begun.entries()) if (index % 2 === 1 && socket.writable) socket.write(' ')
    }, 500)
    cleanups.push(() => clearInterval(drip))

    const asked = await askEach(20, await connectFrom(ELSEWHERE, donor))
    report('22 idle or dripping identities', asked)
    expect(asked.filter(isServedInTime)).toHaveLength(20)
    // A neighbour of theirs is served as well: they hold neither slots nor room in the queue.
    expect(isServedInTime(await ask(await connectFrom(CROWDED, donor)))).toBe(true)
  },
  SETUP_MS,
)

/** Keeps so many requests of each open until it is stopped; tells how many were answered. */
function keepAsking(connections: readonly Connection[], parallel: number): { served: () => number; stop(): unknown } {
  let isOn = true
  let served = 0
  const loops = connections.flatMap((connection) =>
    Array.from({ length: parallel }, async () => {
      while (isOn) if ((await ask(connection)).status === 200) served += 1
    }),
  )
  const stop = async (): Promise<void> => {
    isOn = false
    await Promise.allSettled(loops)
  }
  cleanups.push(stop)
  return { served: () => served, stop }
}

onLinux(
  'an honest peer elsewhere is served beside 24 busy identities of one address, its first request within five seconds',
  async () => {
    const donor = await startDonor(250)
    const crowd = keepAsking(await connectMany(24, CROWDED, donor), 2)
    await until(() => crowd.served() > 24, { what: 'the crowd is at work', limitMs: 30_000 })

    const connection = await connectFrom(ELSEWHERE, donor)
    const first = await ask(connection)
    const before = crowd.served()
    const asked = [first, ...(await Promise.all([1, 2, 3].map(() => askEach(8, connection)))).flat()]
    report(`24 busy identities (they: ${crowd.served() - before} answers meanwhile)`, asked)
    expect(isServedInTime(first)).toBe(true)
    expect(asked.filter(isServedInTime).length).toBeGreaterThanOrEqual(asked.length / 2)
    await crowd.stop()
  },
  SETUP_MS,
)

onLinux(
  'identities of one address together keep to the limit of a source, and an honest peer elsewhere is served',
  async () => {
    const donor = await startDonor(5, '--limits.source-requests-per-minute', '30')
    const sybils = await connectMany(24, CROWDED, donor)
    const startedAt = performance.now()
    const theirs = (await Promise.all(sybils.map((connection) => askEach(4, connection)))).flat()
    const minutes = (performance.now() - startedAt) / 60_000

    const asked = await askEach(20, await connectFrom(ELSEWHERE, donor))
    report(`30 requests a minute for a source (they: ${theirs.filter(isServedInTime).length} of 96)`, asked)
    expect(theirs.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(30 + Math.ceil(30 * minutes))
    expect(asked.filter(isServedInTime)).toHaveLength(20)
  },
  SETUP_MS,
)

onLinux('tokens of answers count for the source that got them, and its next request waits', async () => {
  const donor = await startDonor(0, '--limits.source-tokens-per-minute', '150')
  const [one, two] = await connectMany(2, CROWDED, donor)
  // Each answer is 100 tokens: the second one is begun within the limit, and goes beyond it.
  expect((await ask(one!)).status).toBe(200)
  expect((await ask(two!)).status).toBe(200)
  expect((await ask(one!)).status).toBe(429)
  expect((await ask(two!)).status).toBe(429)
  expect((await ask(await connectFrom(ELSEWHERE, donor))).status).toBe(200)
})

onLinux(
  'the owner of a node whose slots are taken is served by the own server at once, not by a peer that would be free',
  async () => {
    const answers: (() => unknown)[] = []
    const server = await startModelServer({
      async answer(request, response) {
        const { who } = JSON.parse((await readBody(request)).toString()) as { who?: string }
        const end = () => response.writeHead(200, { 'content-type': 'application/json' }).end(ANSWER)
        if (who === 'owner') end()
        else answers.push(end)
      },
    })
    cleanups.push(() => server.close())
    const friend = await startDonor(0)
    const owner = await startNodeProcess({
      flags: [
        ...['--demo-model', 'off', ...llmFlags(server.port), '--limits.concurrent', '1'],
        ...[...flagsToJoin(friend), '--trusted-peers', friend.peerId],
      ],
    })
    cleanups.push(() => owner.stop())
    await until(
      async () => {
        const { data } = (await (await fetch(`${owner.gateway}/v1/models`)).json()) as ModelList
        return data.some(({ id, ocf }) => id === 'test-model' && ocf.providers === 2)
      },
      { what: 'both have the model' },
    )
    const stranger = await connectFrom(CROWDED, owner)
    const theirs = Promise.allSettled([ask(stranger), ask(stranger)])
    await until(() => answers.length === 1, { what: 'a stranger has the only slot' })
    const control = createControlClient({ controlFile: join(owner.dataDir, 'control.json') })
    await until(async () => (await control.call('limits.get', {})).queue.used === 1, { what: 'another one waits' })

    const startedAt = performance.now()
    for (let count = 0; count < 8; count += 1) {
      const own = await chat(owner.gateway, { model: 'test-model', who: 'owner' })
      await own.text()
      expect([own.status, own.headers.get('x-computing-node')]).toEqual([200, owner.peerId])
    }
    process.stdout.write(`owner: 8 answers, one after the other, in ${Math.round(performance.now() - startedAt)} ms\n`)
    expect(answers).toHaveLength(1)
    answers[0]?.()
    await until(() => answers.length === 2, { what: 'the one that waited has the slot' })
    answers[1]?.()
    expect(await theirs).toMatchObject([{ value: { status: 200 } }, { value: { status: 200 } }])
  },
  SETUP_MS,
)

interface ModelList {
  data: { id: string; ocf: { providers: number } }[]
}

/** Prints what an honest peer got. */
function report(beside: string, asked: readonly Asked[]): void {
  const times = asked.filter(isServedInTime).map(({ tookMs }) => Math.round(tookMs))
  const sorted = times.toSorted((a, b) => a - b)
  process.stdout.write(
    `beside ${beside}: ${times.length} of ${asked.length} served, first ${Math.round(asked[0]?.tookMs ?? 0)} ms (${asked[0]?.status}), ` +
      `median ${sorted[sorted.length >> 1]} ms, worst ${sorted.at(-1)} ms\n`,
  )
}
