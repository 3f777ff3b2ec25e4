import { describe, expect, test } from 'vitest'
import type { DoctorFacts } from '../../../src-main/doctor/facts.js'
import { checkAll } from '../../../src-main/doctor/index.js'
import { causeOf } from '../../../src-main/doctor/live.js'
import type { PeerConnection } from '../../../src-main/p2p/index.js'
import { shareOpenFiles } from '../../../src-main/services/machine/index.js'

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
    isClockWrong: false,
    isUsedElsewhere: false,
    ports: [],
    openFiles: { limit: 65_536, inUse: 60, shares: shareOpenFiles({ limit: 65_536, inUse: 60 }) },
    diskUse: { parts: { 'node table': 12e6, 'peer store': 2e6, logs: 3e6, 'other files': 1e3 }, freeBytes: 1e10 },
    isSharing: true,
    ...over,
    reach: {
      isWide: true,
      listening: [TCP],
      announced: [TCP],
      seen: { publicIps: ['5.0.0.1'], natKind: 'one-port', addresses: [], asking: undefined },
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

type Gateway = DoctorFacts['reach']['portMapping']['gateways'][number]

const routers = (...gateways: Partial<Gateway>[]): Partial<DoctorFacts['reach']> => ({
  portMapping: {
    state: 'found',
    gateways: gateways.map((gateway) => ({
      host: '192.168.1.1',
      externalIp: '5.0.0.1',
      mappings: [],
      problem: undefined,
      ...gateway,
    })),
  },
})

const OPENED = ['tcp 43905 → 43905']

test('every check says what it found and what it means, and every bad one what to do', () => {
  const worst = facts({ connections: [], clockAheadMs: 120_000, isClockWrong: true }, { listening: [] })
  for (const found of [...checkAll(facts()), ...checkAll(worst)]) {
    expect(found.fact).not.toBe('')
    expect(found.meaning).not.toBe('')
    if (found.state === 'bad') expect(found.fix).not.toBe('')
  }
})

test('a node that peers dialled in vain should open its TCP port', () => {
  const address = { address: '/ip4/5.0.0.1/tcp/43905', result: 'unreachable' as const, askedPeers: 2, atMs: 1 }
  const seen = { publicIps: ['5.0.0.1'], natKind: 'one-port' as const, addresses: [address], asking: undefined }
  expect(check(facts({}, { seen }), 'reachable')).toMatchObject({
    state: 'bad',
    fix: expect.stringContaining('TCP port 43905'),
  })
  expect(check(facts({}, { seen, relays: [{ peerId: RELAY, untilMs: 1 }] }), 'reachable')).toMatchObject({
    state: 'warn',
  })
  const reached = { ...seen, addresses: [{ ...address, result: 'reachable' as const }] }
  expect(check(facts({}, { seen: reached }), 'reachable')).toMatchObject({ state: 'ok' })
})

test('failed dials of peers are only a warning for a node that shares nothing or has a relay', () => {
  const address = { address: '/ip4/5.0.0.1/tcp/43905', result: 'unreachable' as const, askedPeers: 2, atMs: 1 }
  const seen = { publicIps: ['5.0.0.1'], natKind: 'none' as const, addresses: [address], asking: undefined }
  for (const id of ['reachable', 'firewall']) {
    expect(check(facts({}, { seen }), id)).toMatchObject({ state: 'bad' })
    expect(check(facts({ isSharing: false }, { seen }), id)).toMatchObject({ state: 'warn' })
    expect(check(facts({ isSharing: false, publicAddr: '5.0.0.1' }, { seen }), id)).toMatchObject({ state: 'bad' })
  }
})

describe('what the status pill says', () => {
  const source = { source: 'http://one/', setting: 'bootstrap.sources', addresses: 0, reason: undefined, askedAtMs: 1 }
  const seen = {
    publicIps: ['5.0.0.1'],
    natKind: 'one-port' as const,
    addresses: [{ address: TCP, result: 'unreachable' as const, askedPeers: 1, atMs: 1 }],
    asking: undefined,
  }

  test.each([
    ['there is no bootstrap source', facts({ connections: [] })],
    ['no bootstrap source can be used', facts({ connections: [], bootstrap: [{ ...source, state: 'bad' }] })],
    ['no bootstrap source leads to a peer', facts({ connections: [], bootstrap: [{ ...source, state: 'failed' }] })],
    [
      'the peers named by bootstrap sources do not answer',
      facts({
        connections: [],
        bootstrap: [
          { ...source, state: 'ok' },
          { ...source, state: 'failed' },
        ],
      }),
    ],
    [undefined, facts({ connections: [], bootstrap: [{ ...source, state: 'waiting' }] })],
    ['no other node runs on this computer', facts({ mode: 'local', connections: [] })],
    [undefined, facts({ mode: 'standalone', connections: [] }, { isWide: false })],
    [undefined, facts()],
    ['the clock is 1 min 30 s ahead', facts({ clockAheadMs: 90_000, isClockWrong: true })],
    ['the clock is 2 h behind', facts({ clockAheadMs: -7_200_000, isClockWrong: true })],
    ['this node listens nowhere', facts({}, { listening: [] })],
    ['peers cannot open a connection to it', facts({}, { seen })],
    [undefined, facts({ isSharing: false }, { seen })],
  ] as const)('is %s, and a bad check of the doctor says the same', (sentence, given) => {
    const checks = checkAll(given)
    const cause = causeOf(checks)
    expect(cause?.sentence).toBe(sentence)
    const bad = checks.filter(({ state, id }) => state === 'bad' && !id.startsWith('bootstrap:'))
    expect(bad.length > 0).toBe(cause !== undefined)
    if (cause !== undefined) expect(bad.map(({ id }) => id)).toContain(cause.check)
  })
})

test('a reservation at a relay has its renewal time, and the data left on its circuits', () => {
  const relays = [
    { peerId: RELAY, untilMs: new Date(2026, 0, 1, 15, 7).getTime() },
    { peerId: 'other', untilMs: undefined },
  ]
  const circuit = connection({ path: 'relayed', relayBudget: { bytes: 5 * 2 ** 20, seconds: 60 } })
  expect(check(facts({ connections: [circuit] }, { relays }), 'relays')).toMatchObject({
    state: 'ok',
    fact: `Reachable through 2 relays: ${RELAY} (renews at 2026-01-01 15:07), other. Data left on open circuits: 5.2 MB.`,
  })
})

test('an address where another peer answers comes with a fix, alone or among good ones', () => {
  const source = { setting: 'bootstrap.addr', addresses: 1, askedAtMs: 1 }
  const bootstrap = [
    { ...source, source: TCP, state: 'failed' as const, reason: 'another peer answers there' },
    { ...source, source: 'http://two/', state: 'ok' as const, reason: `another peer answers there: ${TCP}` },
  ]
  expect(check(facts({ bootstrap }), `bootstrap:${TCP}`)).toMatchObject({
    state: 'warn',
    fix: expect.stringContaining('peer id') as string,
  })
  expect(check(facts({ bootstrap }), 'bootstrap:http://two/')).toMatchObject({ state: 'warn' })
})

test('a router that opened a port is named with it', () => {
  expect(check(facts({}, routers({ mappings: OPENED })), 'upnp')).toMatchObject({
    state: 'ok',
    fact: 'The router opened tcp 43905 → 43905.',
  })
})

test('a router that lies about its address is named with its lie, whatever it opened', () => {
  const problem = { kind: 'private-address' as const, text: 'its external address 10.0.0.1 is private' }
  expect(check(facts({}, routers({ problem, mappings: OPENED })), 'upnp')).toMatchObject({
    state: 'warn',
    fact: 'The router 192.168.1.1 answered, but its external address 10.0.0.1 is private.',
    fix: expect.stringContaining('relay'),
  })
})

test.each(['private-address', 'bad-address', 'no-answer', 'bad-answer', 'refused'] as const)(
  'a router with a problem of the kind %s comes with something to do, and with less weight once peers get through',
  (kind) => {
    const reach = routers({ problem: { kind, text: 'it does not work' } })
    const found = check(facts({}, reach), 'upnp')
    expect(found).toMatchObject({ state: 'warn', fact: expect.stringContaining('but it does not work.') })
    expect(found?.fix).not.toBe('')
    const address = { address: '/ip4/5.0.0.1/tcp/43905', result: 'reachable' as const, askedPeers: 1, atMs: 1 }
    const seen = { publicIps: ['5.0.0.1'], natKind: 'one-port' as const, addresses: [address], asking: undefined }
    expect(check(facts({}, { ...reach, seen }), 'upnp')).toMatchObject({ state: 'unknown' })
  },
)

test('a machine that poses as a router does not hide what the true one opened', () => {
  const liar = { host: '192.168.1.66', problem: { kind: 'bad-answer' as const, text: 'it points elsewhere' } }
  expect(check(facts({}, routers(liar, { mappings: OPENED })), 'upnp')).toMatchObject({ state: 'ok' })
})

test('a port that a rule made by hand has is no fault where the public address was given', () => {
  const problem = { kind: 'refused' as const, text: 'it refuses to open tcp port 43905 (error 718)' }
  expect(check(facts({ publicAddr: '5.0.0.1' }, routers({ problem })), 'upnp')).toMatchObject({
    state: 'unknown',
    meaning: expect.stringContaining('made by hand'),
  })
})

test('a missing router is no warning where none is needed', () => {
  const portMapping = { state: 'unneeded' as const, gateways: [] }
  expect(check(facts({}, { portMapping }), 'upnp')).toMatchObject({ state: 'unknown' })
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
  expect(check(facts({ clockAheadMs, isClockWrong: state === 'bad' }), 'clock')).toMatchObject({ state })
})

test('the size of the data folder is told by part, in whole megabytes', () => {
  expect(check(facts(), 'disk-use')).toMatchObject({
    state: 'ok',
    fact: 'The data folder takes 18 MB: node table 12 MB, peer store 2 MB, logs 3 MB, other files 1 MB.',
  })
  expect(check(facts({ diskUse: undefined }), 'disk-use')).toMatchObject({ state: 'unknown' })
})

test.each([
  [
    { 'node table': 420e6, 'peer store': 0, logs: 0, 'other files': 0 },
    1e10,
    'For the node table, 512 MB is the most.',
  ],
  [
    { 'node table': 0, 'peer store': 250e6, logs: 0, 'other files': 0 },
    1e10,
    'For the peer store, 256 MB is the most.',
  ],
  [{ 'node table': 0, 'peer store': 0, logs: 0, 'other files': 0 }, 1e8, 'Its disk has 100 MB left.'],
])('a data folder of %j with %d bytes left on its disk is a warning', (parts, freeBytes, sentence) => {
  const found = check(facts({ diskUse: { parts, freeBytes } }), 'disk-use')
  expect(found).toMatchObject({ state: 'warn', fact: expect.stringContaining(sentence) })
  expect(found?.fix).not.toBe('')
})

test('a clock that only peers of one or two addresses disagree with is a warning that theirs may be wrong', () => {
  expect(check(facts({ clockAheadMs: -7_200_000 }), 'clock')).toMatchObject({
    state: 'warn',
    fact: 'This clock is 2 h behind those of the few peers that reported their time.',
    meaning: 'Theirs may be the wrong ones: it takes peers at three addresses to tell.',
  })
})

test('a port held by another program is reported with the program’s name', () => {
  const ports = [{ setting: 'tcpport' as const, port: 43905, listening: false, holder: 'python3 (pid 7)' }]
  expect(check(facts({ ports }), 'port:tcpport')).toMatchObject({
    state: 'warn',
    fact: expect.stringContaining('python3'),
  })
})

test('a low limit of open files is a warning that says how many connections each listener takes', () => {
  const low = { limit: 256, inUse: 40 }
  const found = check(facts({ openFiles: { ...low, shares: shareOpenFiles(low) } }), 'open-files')
  expect(found).toMatchObject({
    state: 'warn',
    fact: 'This process may open 256 files and sockets; fewer than 100 are in use.',
    meaning: expect.stringMatching(
      /the gateway takes \d+ connections, the dashboard \d+ and other nodes \d+/,
    ) as string,
    fix: expect.stringContaining('ulimit -n') as string,
  })
  expect(check(facts(), 'open-files')?.state).toBe('ok')
})

test('a limit of open files that is nearly used up is a warning', () => {
  const full = { limit: 4_096, inUse: 4_000 }
  const found = check(facts({ openFiles: { ...full, shares: shareOpenFiles(full) } }), 'open-files')
  expect(found).toMatchObject({ state: 'warn', meaning: 'New connections and files may fail.' })
})

test('the doctor says in plain words that another machine uses this node’s identity, and what to do', () => {
  expect(check(facts(), 'identity')).toBeUndefined()
  const found = check(facts({ isUsedElsewhere: true }), 'identity')
  expect(found).toMatchObject({ state: 'bad', brief: 'another machine uses this node’s identity' })
  expect(found?.fact).toMatch(/^Another machine uses this node’s identity/)
  expect(found?.fix).toMatch(/^Stop one of them\./)
})
