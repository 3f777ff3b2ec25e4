import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readBody, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { llmFlags, startNodePair, untilListed, type NodePair } from '../fixtures/node-pair.js'
import type { NodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

const MIB = 60

let server: ModelServerFixture
let pair: NodePair
/** Of the bodies that reached the model server. */
let arrived: string[] = []

beforeAll(async () => {
  server = await startModelServer({
    async answer(request, response) {
      arrived.push(
        createHash('sha256')
          .update(await readBody(request))
          .digest('hex'),
      )
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}')
    },
  })
  pair = await startNodePair({ serviceFlags: [...llmFlags(server.port), '--limits.max-body', '64MiB'] })
  await untilListed(pair.a.gateway, 'test-model')
})

afterAll(async () => {
  await pair.stop()
  await server.close()
})

interface Outcome {
  status: number
  text: string
  sha256: string
}

/** Sends it and watches both nodes meanwhile: the most memory each gained, in MiB, and that each answers. */
async function send(
  url: string,
  kind: 'values' | 'text',
  options: { mib?: number; chunked?: boolean; headers?: string[] } = {},
): Promise<Outcome & { gained: number[] }> {
  arrived = []
  const nodes = [pair.a, pair.b]
  const before = nodes.map((node) => node.rssMiB())
  const gained = nodes.map(() => 0)
  let isOver = false
  const watched = Promise.all(
    nodes.map(async (node, index) => {
      while (!isOver) {
        const health = await fetch(`${node.gateway}/v1/health`, { signal: AbortSignal.timeout(10_000) })
        expect(health.status).toBe(200)
        await health.arrayBuffer()
        gained[index] = Math.max(gained[index] ?? 0, node.rssMiB() - (before[index] ?? 0))
      }
    }),
  )
  const sender = spawn(
    process.execPath,
    [
      join(import.meta.dirname, '../fixtures/large-body-sender.ts'),
      ...[url, kind, String(options.mib ?? MIB), options.chunked === true ? 'yes' : 'no'],
      ...(options.headers ?? []),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let text = ''
  sender.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  await once(sender, 'close')
  isOver = true
  await watched
  return { ...(JSON.parse(text) as Outcome), gained }
}

const chatAt = ({ gateway }: NodeProcess): string => `${gateway}/v1/chat/completions`
const chatThrough = ({ a, b }: NodePair): string =>
  `${a.gateway}/v1/p2p/${b.peerId}/v1/_service/llm/v1/chat/completions`
const codeOf = ({ text }: Outcome): string => (JSON.parse(text) as { error: { code: string } }).error.code

describe('a body of 60 MiB', () => {
  test('of millions of little values is refused at the peer that it reaches, and holds nothing up', async () => {
    const outcome = await send(chatThrough(pair), 'values', { chunked: true })
    expect(outcome.status).toBe(413)
    expect(codeOf(outcome)).toBe('body_too_large')
    expect(Math.max(...outcome.gained)).toBeLessThan(2 * MIB)
    expect(arrived).toEqual([])
  })

  test('of millions of little values that a web page sends is refused, and holds nothing up', async () => {
    const headers = ['origin=https://page.example', 'content-type=text/plain']
    const outcome = await send(chatAt(pair.a), 'values', { headers })
    expect(outcome.status).toBe(413)
    expect(Math.max(...outcome.gained)).toBeLessThan(2 * MIB)
    expect(arrived).toEqual([])
  })

  test('of text reaches the peer’s server as it was sent, and is held once', async () => {
    const outcome = await send(chatAt(pair.a), 'text')
    expect(outcome.status).toBe(200)
    expect(arrived).toEqual([outcome.sha256])
    // Once as it is held, and what is on its way through sockets and ciphers until it is collected.
    expect(Math.max(...outcome.gained)).toBeLessThan(3 * MIB)
  })

  test('of text in chunks reaches the own server as it was sent', async () => {
    const outcome = await send(`${pair.b.gateway}/v1/_service/llm/v1/chat/completions`, 'text', { chunked: true })
    expect(outcome.status).toBe(200)
    expect(arrived).toEqual([outcome.sha256])
  })
})

test('a peer’s body is 8 MiB at most unless its owner allows more', async () => {
  const limited = await startNodePair({ serviceFlags: llmFlags(server.port) })
  try {
    await untilListed(limited.a.gateway, 'test-model')
    await until(async () => (await fetch(`${limited.a.gateway}/v1/models`)).ok, { what: 'a answers' })
    const body = (mib: number): string =>
      JSON.stringify({ model: 'test-model', messages: [{ role: 'user', content: 'x'.repeat(mib * 1024 * 1024) }] })
    const status = async (mib: number): Promise<number> =>
      (await fetch(chatThrough(limited), { method: 'POST', body: body(mib) })).status
    expect([await status(7), await status(9)]).toEqual([200, 413])
  } finally {
    await limited.stop()
  }
})
