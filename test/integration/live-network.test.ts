import { afterEach, beforeEach, expect, test } from 'vitest'
import type { PeerView } from '#shared/contract/network/peers.js'
import { startNodeInProcess, type NodeInProcess } from '../fixtures/node-in-process.js'
import { until } from '../fixtures/until.js'

let a: NodeInProcess
let b: NodeInProcess
beforeEach(async () => {
  ;[a, b] = await Promise.all([startNodeInProcess(), startNodeInProcess()])
})
afterEach(async () => {
  await Promise.all([a.stop(), b.stop()])
})

const sourceOf = (node: NodeInProcess): string => `${node.gateway}/v1/dnt/bootstraps`
const peerOf = async (node: NodeInProcess, peerId: string): Promise<PeerView | undefined> =>
  (await node.control.call('peers.list', {})).find((peer) => peer.peerId === peerId)

test('bootstrap sources given while the node runs are asked at once, bad ones told, and everything shows the path', async () => {
  const before = await b.control.call('node.status', {})
  expect(before).toMatchObject({ peers: 0, paths: [], state: { kind: 'alone' } })
  expect(before.state.cause).toEqual({ check: 'peers', sentence: 'there is no bootstrap source' })

  const sources = ['http://127.0.0.1:1/', '/ip4/127.0.0.1/tcp/0', sourceOf(a)].join(' ')
  const saved = await b.control.call('settings.set', { name: 'bootstrap.sources', value: sources })
  expect(saved).toEqual({ restartNeeded: false })
  const peer = await until(
    async () => ((await peerOf(b, a.peerId))?.rttMs === undefined ? undefined : peerOf(b, a.peerId)),
    {
      what: 'B is connected to A and has measured it',
    },
  )
  expect(peer).toMatchObject({ connected: true, paths: [expect.stringMatching(/^direct-/)] })
  expect(peer).not.toHaveProperty('relays')

  const listed = await until(
    async () => {
      const list = await b.control.call('bootstrap.list', {})
      return list.some(({ state }) => state === 'waiting') ? undefined : list
    },
    { what: 'all sources have a result' },
  )
  expect(listed.map(({ setting, state }) => [setting, state])).toEqual([
    ['bootstrap.sources', 'failed'],
    ['bootstrap.sources', 'ok'],
    ['bootstrap.sources', 'bad'],
  ])
  for (const told of ['nothing listens there', 'nobody listens on port 0']) expect(b.log().split(told)).toHaveLength(2)

  const status = await b.control.call('node.status', {})
  expect(status).toMatchObject({ peers: 1, paths: [{ path: peer.paths[0], peers: 1 }], state: { kind: 'connected' } })
  expect(status.state).not.toHaveProperty('cause')
  const { peers } = (await (await fetch(`${b.gateway}/v1/dnt/peers_status`)).json()) as { peers: unknown[] }
  expect(peers).toEqual([
    expect.objectContaining({ id: a.peerId, connectedness: 'Connected', path: peer.paths[0], relays: [] }),
  ])
  const { checks } = await b.control.call('doctor.run', {})
  expect(checks.find(({ id }) => id === 'peers')).toMatchObject({
    state: 'ok',
    fact: expect.stringMatching(/^1 peer connected, directly/) as string,
  })
  expect(checks.filter(({ state }) => state === 'bad')).toEqual([])
})

test('a peer tells this node over its peer listener what it would tell a neighbour', async () => {
  await b.control.call('settings.set', { name: 'bootstrap.addr', value: sourceOf(a) })
  await until(async () => (await peerOf(b, a.peerId))?.connected, { what: 'B is connected to A' })
  const answer = await fetch(`${b.gateway}/v1/p2p/${a.peerId}/v1/dnt/bootstraps`)
  const { bootstraps } = (await answer.json()) as { bootstraps: string[] }
  // B comes from this machine, so that A's loopback addresses are of use to it.
  expect(bootstraps).toHaveLength(3)
  for (const address of bootstraps) expect(address).toContain(`/ip4/127.0.0.1/`)
  const doctor = await b.control.call('doctor.peer', { peerId: a.peerId })
  expect(doctor.checks.every(({ state }) => state === 'ok')).toBe(true)
})
