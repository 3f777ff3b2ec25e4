import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EventQueue } from '../../bench/network-sim/event-queue.js'
import { Network } from '../../bench/network-sim/network.js'
import { comeApart } from '../../bench/network-sim/partition.js'
import { REACH } from '../../bench/network-sim/population.js'
import { Requests } from '../../bench/network-sim/requests/requests.js'
import { runNetwork } from '../../bench/network-sim/run-network.js'
import { quietScenario } from '../../bench/network-sim/scenario.js'

const MINUTE_MS = 60_000

/** What a small network does in an hour, and how its requests go. */
async function simulate(seed: number): Promise<unknown> {
  const quiet = quietScenario(50, seed)
  const { network, idle } = runNetwork({ ...quiet, warmUpMs: 40 * MINUTE_MS, measureMs: 20 * MINUTE_MS, observers: 10 })
  return { idle, requests: await new Requests(network).byPopularity(20) }
}

test('a simulated network is the same for the same seed, and another for another', async () => {
  const first = await simulate(1)
  expect(await simulate(1)).toEqual(first)
  expect(await simulate(2)).not.toEqual(first)
})

test('whoever can not be dialled has relays, and each relay knows how many it has', () => {
  const network = new Network({ ...quietScenario(60, 3), warmUpMs: 0, measureMs: 0, observers: 5 })
  network.run(30 * MINUTE_MS)
  const { overlay, population, relays } = network
  const isDiallable = (node: number): boolean => (population.reach[node] ?? 0) <= REACH.diallable
  const behind = overlay.everybody.list.filter((node) => !isDiallable(node))
  expect(behind.filter((node) => relays.of(node) === undefined)).toEqual([])
  expect(behind.every((node) => isDiallable(relays.of(node) ?? node))).toBe(true)
  const clients = overlay.everybody.list.reduce((sum, node) => sum + relays.clientsOf(node), 0)
  expect(clients).toBeGreaterThan(behind.length)
  expect(clients).toBeLessThanOrEqual(2 * behind.length)
})

test('a network in two forgets the other half, and is one again afterwards', () => {
  const network = new Network({ ...quietScenario(60, 3), observers: 20 })
  network.run(40 * MINUTE_MS)
  const figures = comeApart(network)
  expect(figures['beyondBefore']).toBeGreaterThan(0.9)
  expect(figures['beyondAtTheEnd']).toBeLessThan(0.1)
  expect(figures['beyondAfter60min']).toBeGreaterThan(0.9)
})

test('what is due comes by time, and what is due at one time as it was put in', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (times) => {
      const queue = new EventQueue()
      for (const [index, atMs] of times.entries()) queue.push(atMs, 0, index)
      const came = times.map(() => queue.pop())
      const wanted = times.map((atMs, node) => ({ atMs, kind: 0, node })).sort((a, b) => a.atMs - b.atMs)
      expect(came).toEqual(wanted)
      expect(queue.nextMs).toBe(Infinity)
    }),
  )
})
