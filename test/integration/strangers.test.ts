import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect, test } from 'vitest'
import { encodeGossipMessages, TABLE_TOPIC } from '../../src-main/node-table/replicate/gossip.js'
import { createEnvelopeSigner } from '../../src-main/node-table/wire/envelope.js'
import { EPOCH_MS, epochOf } from '../../src-main/node-table/wire/epoch.js'
import { startBareHost } from '../fixtures/bare-host.js'
import { readBody, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { chat, flagsToJoin, llmFlags, untilListed } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { createOwner, recordOffering } from '../fixtures/table-owners.js'
import { until } from '../fixtures/until.js'

const MODEL = 'test-model'
const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A model server that counts the prompts it reads and answers each in some way. */
async function serverThat(
  act: 'answers' | 'refuses with 503' | 'refuses with 429' | 'hangs',
  thinkMs = 0,
): Promise<ModelServerFixture & { prompts: () => number }> {
  let prompts = 0
  const server = await startModelServer({
    async answer(request, response) {
      await readBody(request)
      prompts += 1
      if (act === 'hangs') return
      if (act === 'answers') {
        setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}'), thinkMs)
      } else response.writeHead(act.endsWith('503') ? 503 : 429, { 'retry-after': '0' }).end()
    },
  })
  cleanups.push(() => server.close())
  return { ...server, prompts: () => prompts }
}

async function startNode(...flags: string[]): Promise<NodeProcess> {
  const node = await startNodeProcess({ flags: ['--demo-model', 'off', ...flags] })
  cleanups.push(() => node.stop())
  return node
}

/** How many providers of the model a node knows. */
async function providers({ gateway }: NodeProcess): Promise<number> {
  const response = await fetch(`${gateway}/v1/models`)
  const { data } = (await response.json()) as { data: { id: string; ocf: { providers: number } }[] }
  return data.find(({ id }) => id === MODEL)?.ocf.providers ?? 0
}

/** How many rows a node knows, whether their owners are there or not. */
async function knownRows({ gateway }: NodeProcess): Promise<number> {
  const response = await fetch(`${gateway}/v1/dnt/table?all=1`)
  return Object.keys((await response.json()) as object).length
}

describe('a model of this machine that a stranger offers by the same name', () => {
  test('never goes to the stranger, busy or stopped, whatever headers ask, unless its overflow is allowed', async () => {
    const own = await serverThat('hangs')
    const theirs = await serverThat('answers')
    const user = await startNode(...llmFlags(own.port), '--limits.concurrent', '1')
    const stranger = await startNode(...flagsToJoin(user), ...llmFlags(theirs.port))
    await until(async () => (await providers(user)) === 2, { what: 'both offer the model' })
    // The one slot of the own server is taken.
    const leaving = new AbortController()
    const busy = chat(user.gateway, { model: MODEL }, { signal: leaving.signal }).catch(() => undefined)
    await until(() => own.prompts() === 1, { what: 'the own server is busy' })

    const asked: Record<string, string>[] = [
      {},
      { 'x-ocf-only': 'anyone' },
      { 'x-ocf-only': 'trusted' },
      { 'x-ocf-only': 'own' },
      { 'x-ocf-prefer': stranger.peerId },
      { 'x-ocf-exclude': user.peerId },
      { 'x-ocf-fallback': '2' },
      { 'x-ocf-identity-group': `model=${MODEL}` },
    ]
    const ask = async (headers: Record<string, string>): Promise<number | 'waits'> => {
      const signal = AbortSignal.timeout(1_500)
      const response = await chat(
        user.gateway,
        { model: MODEL },
        {
          headers: { 'content-type': 'application/json', ...headers },
          signal,
        },
      ).catch(() => undefined)
      return response?.status ?? 'waits'
    }
    await Promise.all(asked.map(ask))
    expect(theirs.prompts()).toBe(0)

    leaving.abort()
    await busy
    await own.close()
    await until(
      async () => {
        // A request that fails has it looked at.
        await ask({})
        return (await providers(user)) === 1
      },
      { what: 'the own server is known to be gone' },
    )
    expect(new Set(await Promise.all(asked.map(ask)))).toEqual(new Set([503]))
    expect(theirs.prompts()).toBe(0)
  })

  test('goes there where its overflow is allowed, and the answer tells how many read it', async () => {
    const own = await serverThat('hangs')
    const theirs = await serverThat('answers')
    const user = await startNode(...llmFlags(own.port), '--limits.concurrent', '1', '--use.overflow', MODEL)
    await startNode(...flagsToJoin(user), ...llmFlags(theirs.port))
    await until(async () => (await providers(user)) === 2, { what: 'both offer the model' })
    const leaving = new AbortController()
    const busy = chat(user.gateway, { model: MODEL }, { signal: leaving.signal }).catch(() => undefined)
    await until(() => own.prompts() === 1, { what: 'the own server is busy' })
    const response = await chat(user.gateway, { model: MODEL })
    expect(response.headers.get('x-ocf-sent-to')).toBe('1')
    expect(theirs.prompts()).toBe(1)
    leaving.abort()
    await busy
  })
})

test('a model of strangers alone goes nowhere where the reach says so, and to those who are trusted', async () => {
  const theirs = await serverThat('answers')
  const user = await startNode('--use.reach', 'trusted')
  const stranger = await startNode(...flagsToJoin(user), ...llmFlags(theirs.port))
  await untilListed(user.gateway, MODEL)
  const refused = await chat(user.gateway, { model: MODEL })
  expect([refused.status, ((await refused.json()) as { error: { code: string } }).error.code]).toEqual([
    403,
    'beyond_reach',
  ])
  const trusting = await startNode(...flagsToJoin(user), '--use.reach', 'trusted', '--trusted-peers', stranger.peerId)
  await untilListed(trusting.gateway, MODEL)
  expect((await chat(trusting.gateway, { model: MODEL })).status).toBe(200)
  expect(theirs.prompts()).toBe(1)
})

test.each(['refuses with 503', 'refuses with 429', 'hangs'] as const)(
  'a stranger that %s reads three of sixty prompts at most beside one slow honest provider',
  async (act) => {
    const honest = await serverThat('answers', 100)
    const thief = await serverThat(act)
    const user = await startNode()
    await startNode(...flagsToJoin(user), ...llmFlags(honest.port))
    await startNode(...flagsToJoin(user), ...llmFlags(thief.port))
    await until(async () => (await providers(user)) === 2, { what: 'both are known' })
    const statuses: number[] = []
    const asked: Promise<unknown>[] = []
    const leaving = new AbortController()
    for (let count = 0; count < 60; count += 1) {
      const asking = chat(user.gateway, { model: MODEL, n: count }, { signal: leaving.signal }).then(
        (response) => statuses.push(response.status),
        () => undefined,
      )
      asked.push(asking)
      // One that hangs does not keep the others waiting: the next follows when this one is answered, or hangs at the thief.
      const stolen = thief.prompts()
      const isHeld = (): boolean => act === 'hangs' && thief.prompts() > stolen
      let isAnswered = false
      void asking.then(() => (isAnswered = true))
      await until(() => isAnswered || isHeld(), { what: `request ${count} is answered, or held` })
    }
    expect(thief.prompts()).toBeLessThanOrEqual(3)
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(57)
    leaving.abort()
    await Promise.all(asked)
  },
)

test('two hundred providers that nobody can reach keep nobody from the one that is there, also on a new node', async () => {
  const honest = await serverThat('answers')
  const user = await startNode()
  await startNode(...flagsToJoin(user), ...llmFlags(honest.port))
  await untilListed(user.gateway, MODEL)

  const attacker = await startBareHost()
  cleanups.push(() => attacker.stop())
  attacker.pubsub.subscribe(TABLE_TOPIC)
  await attacker.libp2p.dial(
    user.multiaddrs.filter((address) => address.includes('/tcp/')).map((address) => multiaddr(address)),
  )
  await until(() => attacker.pubsub.getSubscribers(TABLE_TOPIC).length > 0, { what: 'the attacker is heard' })
  const now = Date.now()
  const epoch = epochOf(now)
  for (let index = 0; index < 200; index += 1) {
    const { peerId, privateKey } = await createOwner(index)
    const envelope = createEnvelopeSigner(privateKey).sign({
      ...{ epoch, seq: now - epoch * EPOCH_MS, leaseMs: 600_000 },
      record: recordOffering(peerId, [MODEL]),
    })
    for (const message of encodeGossipMessages([envelope])) await attacker.pubsub.publish(TABLE_TOPIC, message)
  }
  await until(async () => (await knownRows(user)) > 100, { what: 'the forged rows are taken in' })

  const newcomer = await startNode(...flagsToJoin(user))
  await until(async () => (await knownRows(newcomer)) > 100, { what: 'the newcomer has them, too' })
  await until(async () => (await providers(newcomer)) === 1, { what: 'the newcomer lists the one that is there' })
  expect(await providers(user)).toBe(1)
  for (const { gateway } of [user, newcomer]) {
    for (let count = 0; count < 6; count += 1) {
      const response = await chat(gateway, { model: MODEL }, { signal: AbortSignal.timeout(4_000) })
      expect(response.status).toBe(200)
    }
  }
  expect(honest.prompts()).toBe(12)
})
