import { afterEach, beforeEach, expect, test } from 'vitest'
import { createHosts, until, type HostFactory } from '../fixtures/hosts.js'
import { inLongRun } from '../fixtures/long-run.js'
import { isConnected, startTableNetwork } from '../fixtures/table-network.js'

let hosts: HostFactory
beforeEach(() => {
  hosts = createHosts()
})
afterEach(() => hosts.close())

const NODES = inLongRun(20, 10)

test(`${NODES} nodes bootstrapped from one see every row within 10 s, and stay connected without it`, async () => {
  const nodes = await startTableNetwork(hosts, { nodes: NODES })
  const sees = (): boolean => nodes.every(({ table }) => table.size === NODES)
  await until('every node sees every row', sees, 10_000)
  const [bootstrap, ...others] = nodes
  const guests = (): number[] => others.map(({ host }) => new Set(host.connections().map(({ peerId }) => peerId)).size)
  await until('every node knows more than the bootstrap node', () => guests().every((peers) => peers > 2), 60_000)
  await bootstrap!.stop()
  await until('the others noticed', () => others.every(({ host }) => !host.isConnected(bootstrap!.host.peerId)), 60_000)
  await until('they are one network', () => isConnected(others), 60_000)
  expect(others.every(({ table }) => others.every(({ host }) => table.get(host.peerId) !== undefined))).toBe(true)
}, 300_000)
