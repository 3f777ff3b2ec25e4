import type { KadDHT } from '@libp2p/kad-dht'
import { afterEach, expect, test } from 'vitest'
import { createHosts, until } from '../fixtures/hosts.js'
import { startActingServer } from '../fixtures/model-servers/acting-server.js'
import { startNodeInProcess, type NodeInProcess } from '../fixtures/node-in-process.js'
import { chat, llmFlags, untilListed } from '../fixtures/node-pair.js'

const ends: (() => Promise<unknown>)[] = []
const hosts = createHosts()
afterEach(async () => {
  await hosts.close()
  for (const end of ends.splice(0).reverse()) await end()
})

const flagsOf = (list: readonly string[]): Record<string, string> =>
  Object.fromEntries(list.flatMap((word, index) => (index % 2 === 0 ? [[word.slice(2), list[index + 1] ?? '']] : [])))

async function start(flags: Record<string, unknown>): Promise<NodeInProcess> {
  const node = await startNodeInProcess({ flags })
  ends.push(() => node.stop())
  return node
}

/** A guest with a model of its own. */
async function startGuest(hub: NodeInProcess, model: string): Promise<NodeInProcess> {
  const server = await startActingServer([model])
  ends.push(() => server.close())
  return await start({ 'bootstrap.sources': `${hub.gateway}/v1/dnt/bootstraps`, ...flagsOf(llmFlags(server.port)) })
}

test('guests of a standalone node use each other’s models, from the first request on', async () => {
  const hub = await start({ mode: 'standalone' })
  const [one, other] = await Promise.all([startGuest(hub, 'model-one'), startGuest(hub, 'model-other')])
  for (const [guest, model, owner] of [
    [one, 'model-other', other],
    [other, 'model-one', one],
  ] as const) {
    await untilListed(guest.gateway, model)
    const answer = await chat(guest.gateway, { model })
    expect([answer.status, answer.headers.get('x-computing-node')]).toEqual([200, owner.peerId])
    const [, connectMs] = /connect;dur=([\d.]+)/.exec(answer.headers.get('server-timing') ?? '') ?? []
    expect(Number(connectMs)).toBeLessThan(2_000)
  }
}, 60_000)

test('a standalone node goes to nobody, whomever its guests tell it of', async () => {
  const [hub, guest, stranger] = await Promise.all(
    (['standalone', 'node', 'standalone'] as const).map((mode) => hosts.host({ mode })),
  )
  await guest!.libp2p.dial(stranger!.libp2p.getMultiaddrs())
  await guest!.libp2p.dial(hub!.libp2p.getMultiaddrs())
  const { peerRouting, peerStore, services } = hub!.libp2p
  const lanDht = services['lanDht'] as KadDHT
  const { peerId } = stranger!.libp2p
  await until('the guest tells where the stranger is', async () => {
    const found = await peerRouting.findPeer(peerId, { useCache: false }).catch(() => undefined)
    return found !== undefined && found.multiaddrs.length > 0
  })
  await peerStore.merge(peerId, { multiaddrs: stranger!.libp2p.getMultiaddrs() })
  // Asks everybody on the way, the stranger too where that is possible.
  for await (const _ of lanDht.getClosestPeers(peerId.toMultihash().bytes));
  expect(hub!.connections().map(({ peerId, direction }) => [peerId, direction])).toEqual([[guest!.peerId, 'inbound']])
}, 60_000)
