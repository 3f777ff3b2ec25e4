import { peerIdFromString } from '@libp2p/peer-id'
import type { Ping } from '@libp2p/ping'
import { z } from 'zod'
import { AppError } from '#shared/errors.js'
import { ask, type HttpClient } from '../../http-client/index.js'
import { assertPeerId } from '../../p2p/index.js'
import { readBody } from '../body/read-body.js'
import { readJson } from '../listener/read-json.js'
import type { GatewayNeeds } from '../needs.js'
import type { Route } from '../routes/route.js'

/** Bytes that are echoed; a probe sends as many several times. */
const ECHO_BYTES = 256 * 1024
const ECHO_PATH = '/v1/probe/echo'
const LATENCY_ROUNDS = 5
/** A throughput probe sends at most so many echoes, and no new one after this long, ms. */
const MAX_ECHOES = 16
const THROUGHPUT_MS = 2_000
const EACH_WITHIN_MS = 5_000
const MAX_REQUEST_BYTES = 4 * 1024

const RunSchema = z.strictObject({
  peer_id: z.string().max(128),
  probes: z
    .array(z.enum(['latency', 'throughput', 'libp2p_ping']))
    .min(1)
    .max(3)
    .default(['latency', 'throughput', 'libp2p_ping']),
})

/** How fast a peer is, asked by the owner: one run at a time, of some seconds and some megabytes at most. */
export function probeRoutes(needs: Pick<GatewayNeeds, 'host' | 'peerClients' | 'monotonic'>): Route[] {
  const { host, peerClients, monotonic } = needs
  let isRunning = false

  async function run(given: z.output<typeof RunSchema>): Promise<object> {
    const { peer_id: peerId, probes } = given
    assertPeerId(peerId)
    if (peerId === host.peerId) throw new AppError('invalid_request', 'This is the node itself.', { param: 'peer_id' })
    const client = peerClients.to(peerId)
    const answer: Record<string, unknown> = { peer_id: peerId }
    if (probes.includes('latency')) answer['latency'] = await attempt(() => latency(client, peerId))
    if (probes.includes('throughput')) answer['throughput'] = await attempt(() => throughput(client, peerId))
    if (probes.includes('libp2p_ping')) answer['libp2p_ping'] = await attempt(() => ping(peerId))
    return answer
  }

  async function latency(client: HttpClient, peerId: string): Promise<object> {
    const times: number[] = []
    for (let round = 0; round < LATENCY_ROUNDS; round += 1) {
      const beganAtMs = monotonic.elapsedMs()
      const signal = AbortSignal.timeout(EACH_WITHIN_MS)
      await ask(client, { host: peerId, path: '/v1/health', maxBytes: 4096, signal })
      times.push(monotonic.elapsedMs() - beganAtMs)
    }
    const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length
    return {
      rounds: times.length,
      min_ms: tenth(Math.min(...times)),
      mean_ms: tenth(mean),
      max_ms: tenth(Math.max(...times)),
    }
  }

  async function throughput(client: HttpClient, peerId: string): Promise<object> {
    const beganAtMs = monotonic.elapsedMs()
    const body = Buffer.alloc(ECHO_BYTES)
    let bytes = 0
    for (let count = 0; count < MAX_ECHOES && monotonic.elapsedMs() - beganAtMs < THROUGHPUT_MS; count += 1) {
      bytes += await echo(client, peerId, body)
    }
    const tookS = (monotonic.elapsedMs() - beganAtMs) / 1000
    return { bytes_each_way: bytes, bytes_per_s: Math.round(bytes / Math.max(tookS, 0.001)) }
  }

  async function ping(peerId: string): Promise<object> {
    const { ping: service } = host.libp2p.services as { ping?: Ping }
    if (service === undefined) throw new Error('this node has no ping')
    const ms = await service.ping(peerIdFromString(peerId), { signal: AbortSignal.timeout(EACH_WITHIN_MS) })
    return { rtt_ms: tenth(ms) }
  }

  return [
    {
      methods: ['GET', 'HEAD'],
      path: ECHO_PATH,
      listeners: ['local', 'peer'],
      pages: 'never',
      summary: 'Answers at once, for whoever measures how long that takes.',
      handle(ctx) {
        ctx.body = { ok: true }
      },
    },
    {
      methods: ['POST'],
      path: ECHO_PATH,
      listeners: ['local', 'peer'],
      pages: 'never',
      summary: 'Sends back what it is sent, up to 256 KiB.',
      async handle(ctx) {
        const { bytes } = await readBody(ctx.req, { maxBytes: ECHO_BYTES })
        ctx.type = 'application/octet-stream'
        ctx.body = bytes
      },
    },
    {
      methods: ['POST'],
      path: '/v1/probe/run',
      listeners: ['local'],
      pages: 'never',
      summary: 'Measures a peer: latency, throughput, libp2p_ping. One run at a time.',
      async handle(ctx) {
        const parsed = RunSchema.safeParse(await readJson(ctx.req, MAX_REQUEST_BYTES))
        if (!parsed.success) {
          throw new AppError('invalid_request', 'The body takes peer_id, and probes: latency, throughput, libp2p_ping.')
        }
        if (isRunning) throw new AppError('rate_limited', 'A probe is running. Try again shortly.', { retryAfterS: 5 })
        isRunning = true
        try {
          ctx.body = await run(parsed.data)
        } finally {
          isRunning = false
        }
      },
    },
  ]
}

/** What a probe measured, or in a sentence why it could not. */
async function attempt(measure: () => Promise<object>): Promise<object> {
  try {
    return await measure()
  } catch (error) {
    return { error: error instanceof Error ? error.message.slice(0, 200) : 'it failed' }
  }
}

const tenth = (ms: number): number => Math.round(ms * 10) / 10

/** Has a peer send back these bytes. Rejects where it does anything else. */
function echo(client: HttpClient, peerId: string, body: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0
    client.send(
      {
        ...{ method: 'POST', path: ECHO_PATH, body, idleTimeoutMs: EACH_WITHIN_MS },
        headers: { host: peerId, 'content-type': 'application/octet-stream' },
      },
      {
        onStart: () => undefined,
        onUpgrade: (_headers, socket) => socket.destroy(),
        onHead(status) {
          if (status !== 200) throw new Error(`the peer answered ${status} to an echo`)
        },
        onData(piece) {
          bytes += piece.byteLength
          if (bytes > body.byteLength) throw new Error('more came back than was sent')
        },
        onEnd: () => resolve(bytes),
        onError: reject,
      },
    )
  })
}
