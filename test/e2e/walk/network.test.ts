import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { createDoctor } from '../../../src-main/doctor/index.js'
import { ALICE, BOB } from '../../contract/fake-node.js'
import { createHosts, silentLog } from '../../fixtures/hosts.js'
import { startWalk } from './walk.js'

const walk = startWalk()
const map = () => walk.page.getByRole('group', { name: /^This node in the middle/ })

test('a person’s name stands wherever the peer does, and leads to the peer', async () => {
  const { people } = walk.node.needs
  const list = people.list.bind(people)
  const [someone] = list()
  people.list = () => [{ ...someone!, peerId: ALICE, label: 'Ann' }]
  for (const hash of ['#/traffic', '#/models/qwen3%3A8b', '#/network']) {
    await walk.open(hash)
    await walk.page.getByRole('table').getByText('Ann', { exact: true }).first().waitFor()
  }
  await walk.open('#/traffic')
  await walk.page.getByRole('table', { name: 'Traffic' }).getByRole('link', { name: 'Ann' }).first().click()
  await walk.page.getByRole('dialog').getByText(ALICE, { exact: true }).first().waitFor()
  await walk.page.keyboard.press('Escape')
  // People come first; strangers are folded below them.
  await walk.open('#/network')
  const rows = walk.page.getByRole('table', { name: 'Peers', exact: true }).getByRole('row')
  expect(await rows.count()).toBe(2)
  await walk.page.getByRole('button', { name: 'Show 2 strangers' }).click()
  await expect.poll(() => rows.count()).toBe(4)
  people.list = list
})

test('on the map a peer behind a relay stands clear of it, and pointing at it says how it is reached', async () => {
  const relay = '12D3KooWRelayRelayRelayRelayRelayRelayRelayRelayRela'
  walk.node.connect(relay, 'direct-tcp')
  await walk.open('#/network')
  const place = (name: string) =>
    map()
      .getByRole('link', { name: new RegExp(name) })
      .boundingBox()
  const [behind, direct] = [await place('obBobBo'), await place('laRelaRela|layRela')]
  expect(Math.hypot(behind!.x - direct!.x, behind!.y - direct!.y)).toBeGreaterThan(40)
  await map()
    .getByRole('link', { name: /obBobBo/ })
    .hover()
  await walk.page
    .getByText(/Relayed · offers 1/)
    .first()
    .waitFor()
  const width = (await map().boundingBox())!.width
  expect(width).toBeGreaterThan(900)
  walk.node.disconnect(relay)
})

test('two hundred peers fit on the map, wide and narrow, and beyond that the rest is counted', async () => {
  for (let index = 0; index < 230; index += 1)
    walk.node.connect(`12D3KooWMany${String(index).padStart(40, '0')}`, 'direct-tcp')
  await walk.open('#/network')
  for (const width of [1280, 900]) {
    await walk.page.setViewportSize({ width, height: 800 })
    await expect.poll(() => map().getByRole('link').count()).toBe(200)
    const boxes = await map()
      .getByRole('link')
      .evaluateAll((links) =>
        links.map((link) => link.getBoundingClientRect()).map(({ x, y, width: w }) => ({ x: x + w / 2, y: y + w / 2 })),
      )
    const nearest = boxes.map((one) =>
      Math.min(...boxes.filter((other) => other !== one).map((other) => Math.hypot(one.x - other.x, one.y - other.y))),
    )
    expect(Math.min(...nearest), `at ${width}`).toBeGreaterThan(9)
  }
  await walk.page.getByText(/^33 more peers, in the table below\.$/).waitFor()
  for (let index = 0; index < 230; index += 1) walk.node.disconnect(`12D3KooWMany${String(index).padStart(40, '0')}`)
  await walk.page.setViewportSize({ width: 1280, height: 800 })
})

test('a request that runs is seen on the map, at the line it takes', async () => {
  await walk.open('#/network')
  await map()
    .getByRole('link', { name: /liceAlic.*1 request running/ })
    .waitFor()
})

test('the doctor answers in three lines, and shows its checks when they are wanted or something is broken', async () => {
  const ok = { id: 'peers', state: 'ok', fact: 'Two peers are connected.', meaning: 'Fine.', fix: '' } as const
  const relayed = {
    id: 'relays',
    state: 'warn',
    fact: 'Only by a relay.',
    meaning: 'M.',
    fix: 'Forward TCP port 43905.',
  } as const
  walk.node.find([ok, relayed])
  await walk.open('#/network')
  const doctor = walk.page.getByRole('region', { name: 'Doctor' })
  const lines = await doctor.getByRole('term').allInnerTexts()
  expect(lines).toEqual(['You can be reached', 'You can reach others', 'What to do'])
  await doctor.getByText('Forward TCP port 43905.').first().waitFor()
  expect(await doctor.getByText('Only by a relay.').isVisible()).toBe(false)
  await doctor.getByText('All 2 checks').click()
  await doctor.getByText('Only by a relay.').waitFor()
  walk.node.find([{ ...ok, state: 'bad', fact: 'No one is there.', fix: 'Join.' }])
  await doctor.getByText('No one is there.').waitFor()
  walk.node.find([ok])
})

test('one address is offered to others, the rest are folded, and loopback is none of them', async () => {
  const { connections } = walk.node.needs
  const multiaddrs = connections.multiaddrs.bind(connections)
  const addresses = [
    '/ip4/127.0.0.1/tcp/1',
    '/ip6/::1/tcp/1',
    '/ip4/192.168.1.5/tcp/43905',
    '/ip4/203.0.113.9/tcp/43905',
  ]
  connections.multiaddrs = () => addresses
  await walk.open('#/network')
  const self = walk.page.getByRole('region', { name: 'This node' })
  await self.getByText('/ip4/203.0.113.9/tcp/43905', { exact: true }).waitFor()
  expect(await self.getByText('/ip4/192.168.1.5/tcp/43905', { exact: true }).isVisible()).toBe(false)
  await self.getByText('1 more').click()
  await self.getByText('/ip4/192.168.1.5/tcp/43905', { exact: true }).waitFor()
  expect(await self.getByText('127.0.0.1', { exact: false }).count()).toBe(0)
  connections.multiaddrs = multiaddrs
})

test('a test of all routes says in words why each fails, whatever way it takes', async () => {
  const { doctor, table, registry, bootstrapper } = walk.node.needs
  const peer = doctor!.peer.bind(doctor)
  const hosts = createHosts()
  try {
    // The real program's sentences: a host asks for one that has gone, over TCP, WebSocket and QUIC. What it learns of
    // while it runs, it dials on its own; a start finds it in the store.
    const dir = await hosts.folder()
    const [before, gone] = [await hosts.host({ dir }), await hosts.host()]
    await before.libp2p.peerStore.merge(peerIdFromString(gone.peerId), { multiaddrs: gone.multiaddrs().map(multiaddr) })
    await Promise.all([before.stop(), gone.stop()])
    const host = await hosts.host({ dir })
    const needs = { host, table, registry, bootstrapper, clock: { now: Date.now }, log: silentLog }
    const ports = { tcpport: 0, wsport: 0, udpport: 0 }
    const real = createDoctor({ ...needs, openFiles: () => Promise.reject(new Error('not asked')) } as never, {
      mode: 'node',
      dataDir: await hosts.folder(),
      publicAddr: '',
      ports,
    })
    doctor!.peer = () => real.peer(gone.peerId)
    await walk.open(`#/network/${BOB}`)
    await walk.page.getByRole('button', { name: 'Test all routes' }).click()
    const sheet = walk.page.getByRole('dialog')
    await sheet.getByText('No connection could be opened.', { exact: true }).waitFor({ timeout: 30_000 })
    const failed = sheet.getByText(/did not work after/)
    await failed.filter({ hasText: /\/tcp\/\d+\/p2p\/.*: nothing listens there \(ECONNREFUSED\)\.$/ }).waitFor()
    await failed.filter({ hasText: /\/ws\/p2p\/.*: no connection could be opened\.$/ }).waitFor()
    await failed.filter({ hasText: /\/quic-v1\/p2p\/.*: (nothing|no) [a-z ]+\.$/ }).waitFor()
    expect(await sheet.getByText('[object').count()).toBe(0)
  } finally {
    doctor!.peer = peer
    await hosts.close()
  }
})
