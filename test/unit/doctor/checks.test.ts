import { expect, test } from 'vitest'
import { checkAll } from '../../../src-main/doctor/index.js'
import type { DoctorFacts, PeerFacts } from '../../../src-main/doctor/facts.js'
import { checkPeer } from '../../../src-main/doctor/peer-checks.js'
import type { PeerConnection } from '../../../src-main/p2p/index.js'

const TCP = '/ip4/192.168.1.2/tcp/43905'
const RELAY = '12D3KooWDG6KQHGgqSKbkKZH5xvz9iwm2qyNtFv1u87QCuDCUDiM'
const connection = (over: Partial<PeerConnection> = {}): PeerConnection => ({
  peerId: 'peer',
  multiaddr: '/ip4/5.0.0.9/tcp/43905',
  path: 'direct-tcp',
  direction: 'outbound',
  openedAtMs: 0,
  ...over,
})

function facts(over: Partial<DoctorFacts> = {}, reach: Partial<DoctorFacts['reach']> = {}): DoctorFacts {
  return {
    mode: 'node',
    nowMs: 0,
    publicAddr: '',
    connections: [connection()],
    bootstrap: [],
    knownPeers: 1,
    clockAheadMs: 0,
    ports: [],
    ...over,
    reach: {
      isWide: true,
      listening: [TCP],
      announced: [TCP],
      seen: { publicIps: ['5.0.0.1'], natKind: 'one-port', addresses: [] },
      portMapping: { state: 'none', gateways: [] },
      lanDiscovery: true,
      privateNetwork: false,
      relays: [],
      relayServer: { serving: false, reservations: 0, maxReservations: 256, usedBytes: 0, hourlyBytes: 1 },
      dht: [],
      ...reach,
    },
  }
}

const check = (given: DoctorFacts, id: string) => checkAll(given).find((found) => found.id === id)

test('every check says what it found and what it means, and what is bad says what to do', () => {
  const worst = facts({ connections: [], clockAheadMs: 120_000 }, { listening: [] })
  for (const found of [...checkAll(facts()), ...checkAll(worst)]) {
    expect(found.fact).not.toBe('')
    expect(found.meaning).not.toBe('')
    if (found.state === 'bad') expect(found.fix).not.toBe('')
  }
})

test('a node that peers dialled in vain is told to open its TCP port', () => {
  const address = { address: '/ip4/5.0.0.1/tcp/43905', result: 'unreachable' as const, askedPeers: 2, atMs: 1 }
  const seen = { publicIps: ['5.0.0.1'], natKind: 'one-port' as const, addresses: [address] }
  expect(check(facts({}, { seen }), 'reachable')).toMatchObject({
    state: 'bad',
    fix: expect.stringContaining('TCP port 43905'),
  })
  expect(check(facts({}, { seen, relays: [RELAY] }), 'reachable')).toMatchObject({ state: 'warn' })
  const reached = { ...seen, addresses: [{ ...address, result: 'reachable' as const }] }
  expect(check(facts({}, { seen: reached }), 'reachable')).toMatchObject({ state: 'ok' })
})

test('a router that lies about its address is named with its lie', () => {
  const gateway = {
    family: 'IPv4' as const,
    host: '192.168.1.1',
    externalIp: '10.0.0.1',
    mappings: [],
    problem: 'its external address 10.0.0.1 is private',
  }
  expect(check(facts({}, { portMapping: { state: 'found', gateways: [gateway] } }), 'upnp')).toMatchObject({
    state: 'warn',
    fact: expect.stringContaining('10.0.0.1'),
  })
})

test('each bootstrap source has its own line', () => {
  const source = { setting: 'bootstrap.addr', addresses: 0, reason: 'it answered with status 500', askedAtMs: 1 }
  const bootstrap = [
    { ...source, source: 'http://one/', state: 'failed' as const },
    { ...source, source: 'nonsense', state: 'bad' as const },
  ]
  expect(check(facts({ bootstrap }), 'bootstrap:http://one/')).toMatchObject({
    state: 'warn',
    fact: expect.stringContaining('status 500'),
  })
  expect(check(facts({ bootstrap, connections: [] }), 'bootstrap:http://one/')).toMatchObject({ state: 'bad' })
  expect(check(facts({ bootstrap }), 'bootstrap:nonsense')).toMatchObject({ state: 'warn' })
})

test.each([
  [0, 'ok'],
  [-20_000, 'warn'],
  [90_000, 'bad'],
  [undefined, 'unknown'],
] as const)('a clock that is %s ms ahead is %s', (clockAheadMs, state) => {
  expect(check(facts({ clockAheadMs }), 'clock')).toMatchObject({ state })
})

test('a port that another program holds is told with its name', () => {
  const ports = [{ setting: 'tcpport' as const, port: 43905, listening: false, holder: 'python3 (pid 7)' }]
  expect(check(facts({ ports }), 'port:tcpport')).toMatchObject({
    state: 'warn',
    fact: expect.stringContaining('python3'),
  })
})

const peer = (over: Partial<PeerFacts> = {}): PeerFacts => ({
  peerId: 'peer',
  nowMs: 0,
  isSelf: false,
  known: [TCP],
  inTable: true,
  connections: [connection()],
  dials: [],
  protocols: ['/libp2p-http'],
  health: { ok: true, ms: 3, detail: 'version 0.1.0' },
  ...over,
})
const states = (given: PeerFacts): Record<string, string> =>
  Object.fromEntries(checkPeer(given).map(({ id, state }) => [id, state]))

test('the way to a peer is told up to where it breaks', () => {
  expect(states(peer())).toEqual({ known: 'ok', connected: 'ok', protocol: 'ok', health: 'ok' })
  const dials = [{ address: TCP, ms: 5, error: 'connect ECONNREFUSED 192.168.1.2:43905' }]
  const broken = peer({ dials, connections: [], protocols: [], health: undefined })
  expect(states(broken)).toEqual({
    known: 'ok',
    [`address:${TCP}`]: 'warn',
    connected: 'bad',
    protocol: 'unknown',
    health: 'unknown',
  })
  expect(checkPeer(broken)[1]?.meaning).toContain('nothing listens')
  expect(states(peer({ known: [], connections: [] })).known).toBe('bad')
  expect(states(peer({ protocols: [] })).protocol).toBe('bad')
})

test('an address where another node answers is told as such', () => {
  const dials = [{ address: TCP, ms: 5, error: 'Payload identity key a does not match expected remote identity key b' }]
  expect(checkPeer(peer({ dials })).find(({ id }) => id.startsWith('address:'))?.meaning).toContain(
    'Another node answers',
  )
})
