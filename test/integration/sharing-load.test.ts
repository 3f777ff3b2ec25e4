import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Client } from '#shared/contract/client.js'
import { createControlClient } from '../../src-main/api/client.js'
import { readBody, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { chat, flagsToJoin, llmFlags, untilListed } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

const PLACES = 4
const ANSWERS = 60
const WITH_RETRIES_EVERY = 15

/** Requests the model server has started, by who sent them, and those of them it still holds. */
const started: string[] = []
const held: ServerResponse[] = []
/** What clients got that is no answer. */
const refusals: { status: number; code: string; retryAfter: string | null }[] = []

let provider: NodeProcess
let owner: Pick<Client, 'call'>
let server: ModelServerFixture
let peers: NodeProcess[]

beforeAll(async () => {
  server = await startModelServer({
    async answer(request, response) {
      const { who } = JSON.parse((await readBody(request)).toString()) as { who: string }
      started.push(who)
      held.push(response)
    },
  })
  provider = await startNodeProcess({
    flags: [
      ...['--demo-model', 'off', '--limits.concurrent', String(PLACES), '--limits.queue-time', '5m'],
      ...llmFlags(server.port),
    ],
  })
  owner = createControlClient({ controlFile: join(provider.dataDir, 'control.json') })
  const flags = [...flagsToJoin(provider), '--demo-model', 'off']
  peers = await Promise.all([1, 2, 3].map(() => startNodeProcess({ flags })))
  await Promise.all(peers.map(({ gateway }) => untilListed(gateway, 'test-model', 20_000)))
})

afterAll(async () => {
  await server.close()
  await Promise.all([...peers, provider].map((node) => node.stop()))
})

/** A peer that has `parallel` requests open each time it is asked to send. */
function client(who: string, gateway: string, parallel: number): { send(): void; done: Promise<void>[] } {
  const done: Promise<void>[] = []
  let open = 0
  let asked = 0
  async function one(): Promise<void> {
    asked += 1
    // Many of one text that hang look like one that goes round in a circle.
    const messages = [{ role: 'user', content: `${who} ${asked}` }]
    const response = await chat(gateway, { model: 'test-model', who, messages })
    const { error } = (await response.json()) as { error?: { code: string } }
    open -= 1
    if (response.status === 200) return
    const retryAfter = response.headers.get('retry-after')
    refusals.push({ status: response.status, code: error?.code ?? '', retryAfter })
  }
  return {
    done,
    send() {
      for (; open < parallel; open += 1) done.push(one())
    },
  }
}

const release = (): unknown =>
  held.shift()?.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}')

test('a greedy peer leaves others their share, and the owner never waits', { timeout: 120_000 }, async () => {
  const [greedyNode, modestNode, otherNode] = peers as [NodeProcess, NodeProcess, NodeProcess]
  const greedy = client('greedy', greedyNode.gateway, 100)
  const modest = client('modest', modestNode.gateway, 3)
  const other = client('other', otherNode.gateway, 3)

  /** Every place is at work, and both modest peers have all their requests here. */
  async function untilSettled(): Promise<void> {
    await until(
      async () => {
        modest.send()
        other.send()
        const { consumers } = await owner.call('limits.get', {})
        const here = ({ peerId }: NodeProcess): number => {
          const consumer = consumers.find((candidate) => candidate.peerId === peerId)
          return (consumer?.running ?? 0) + (consumer?.waiting ?? 0)
        }
        return held.length === PLACES && here(modestNode) === 3 && here(otherNode) === 3
      },
      { what: 'all places are taken and the modest peers wait', limitMs: 30_000 },
    )
  }

  greedy.send()
  await until(() => refusals.length >= 100 - PLACES - 16, { what: 'the greedy peer is refused', limitMs: 30_000 })
  expect(started).toEqual(['greedy', 'greedy', 'greedy', 'greedy'])

  const shares: string[] = []
  for (let count = 0; count < ANSWERS; count += 1) {
    if (count % WITH_RETRIES_EVERY === 0) greedy.send()
    await untilSettled()
    const before = started.length
    release()
    await until(() => started.length > before, { what: 'the free place is taken', limitMs: 30_000 })
    shares.push(...started.slice(before))
  }

  // Its four first ones hold every place; once they are gone, each peer has the same share.
  const fair = shares.slice(PLACES)
  const shareOf = (who: string): number => fair.filter((name) => name === who).length / fair.length
  expect(shareOf('modest')).toBeGreaterThanOrEqual(0.3)
  expect(shareOf('other')).toBeGreaterThanOrEqual(0.3)
  expect(shareOf('greedy')).toBeGreaterThan(0)

  const { queue } = await owner.call('limits.get', {})
  expect(queue.used).toBeGreaterThan(4)
  const before = started.length
  const own = client('owner', provider.gateway, 1)
  own.send()
  await until(() => started.length > before, { what: 'a request starts', limitMs: 30_000 })
  expect(started.slice(before)).toEqual(['owner'])

  const all = [greedy, modest, other, own].flatMap(({ done }) => done)
  let isDone = false
  const ended = Promise.all(all).then(() => (isDone = true))
  await until(() => (release(), isDone), { what: 'every request is answered', limitMs: 60_000 })
  await ended
  expect(refusals.length).toBeGreaterThan(80)
  expect(refusals.filter(({ status, code }) => status !== 429 || code !== 'provider_busy')).toEqual([])
  expect(refusals.filter(({ retryAfter }) => !(Number(retryAfter) > 0))).toEqual([])
})
