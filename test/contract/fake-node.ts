import type { Check } from '#shared/contract/node/doctor.js'
import type { LogLine } from '#shared/contract/node/logs.js'
import { emptyPeerRecord } from '#shared/records.js'
import type { ConnectionsSource } from '../../src-main/api/handlers/peers.js'
import { createControl, type Control, type ControlNeeds } from '../../src-main/api/index.js'
import { monotonicClock, type MonotonicClock } from '../../src-main/base/clock.js'
import type { SettingsSource } from '../../src-main/config/settings-source.js'
import type { RoutableModel } from '../../src-main/gateway/index.js'
import type { Log } from '../../src-main/logging/index.js'
import type { NodeTable, Row } from '../../src-main/node-table/index.js'
import { ProviderSet } from '../../src-main/node-table/view/provider-set.js'
import type { PeerConnection } from '../../src-main/p2p/index.js'
import { factsOf, type LocalService, type ServiceRegistry } from '../../src-main/services/index.js'
import type { GpuFacts } from '../../src-main/services/machine/index.js'
import { createKeyUsage } from '../../src-main/telemetry/key-usage.js'
import { createTrafficHistory } from '../../src-main/telemetry/traffic-history.js'
import { createTrafficFeed, type TrafficFeed } from '../../src-main/telemetry/traffic.js'
import { NO_OFFERS } from '../fixtures/no-offers.js'
import { createFakeApiKeys } from './fake-api-keys.js'
import { createFakeEngine } from './fake-engine.js'
import { createFakePeople, FAKE_JOINING } from './fake-people.js'
import { createFakeSharing } from './fake-sharing.js'

/** A node whose every part is under the test's hand. */
export interface FakeNode {
  control: Control
  needs: ControlNeeds
  traffic: TrafficFeed
  /** Everything logged as an error. */
  errors: unknown[]
  connect(peerId: string, path?: PeerConnection['path']): void
  disconnect(peerId: string): void
  offer(peerId: string, service: string, groups: string[]): void
  serve(service: Partial<LocalService> & { id: string }): void
  /** What the doctor finds from now on. */
  find(checks: readonly Check[]): void
  writeLog(message: string, level?: LogLine['level']): void
}

export const SELF = '12D3KooWSelfSelfSelfSelfSelfSelfSelfSelfSelfSelfSelf'
export const ALICE = '12D3KooWAliceAliceAliceAliceAliceAliceAliceAliceAlic'
export const BOB = '12D3KooWBobBobBobBobBobBobBobBobBobBobBobBobBobBobBo'
/** Nothing is kept. */
const FAKE_CHATS = { keep: false, sealed: false, stored: false, setAside: [], conversations: [] }
const STARTED_AT_MS = 1_700_000_000_000

export function createFakeNode(
  options: {
    gatewayUrl?: string | null
    startedAtMs?: number
    gpus?: readonly GpuFacts[]
    /** What requests are timed with. */
    monotonic?: MonotonicClock
  } = {},
): FakeNode {
  const startedAtMs = options.startedAtMs ?? STARTED_AT_MS
  const changes = createChanges()
  const open: PeerConnection[] = []
  const rows = new Map<string, Row>()
  const services = new Map<string, LocalService>()
  const lines: LogLine[] = []
  const errors: unknown[] = []
  let checks: readonly Check[] = [FINE]
  const traffic = createTrafficFeed({ clock: Date, monotonic: options.monotonic ?? monotonicClock })

  const connections: ConnectionsSource = {
    peerId: SELF,
    multiaddrs: () => [`/ip4/127.0.0.1/tcp/43905/p2p/${SELF}`],
    connections: () => [...open],
    isConnected: (peerId) => open.some((connection) => connection.peerId === peerId),
    subscribe: changes.subscribe,
  }
  const needs: ControlNeeds = {
    gpus: { read: () => Promise.resolve({ known: true, value: options.gpus ?? [] }) },
    facts: { version: '0.1.0', mode: 'node', startedAtMs },
    connections,
    table: fakeTable(rows, changes.subscribe),
    registry: fakeRegistry(services, changes.subscribe),
    models: {
      list: () => fakeModels(rows, services),
      facts: () => undefined,
      subscribe: changes.subscribe,
    },
    isTrusted: () => false,
    reachable: {
      standing: (peerId) => (peerId === SELF || connections.isConnected(peerId) ? 'proven' : 'unproven'),
      subscribe: (listener) => changes.subscribe(() => listener(ALICE)),
    },
    traffic,
    history: createTrafficHistory({ traffic, clock: Date, log: fakeLog(errors) }, { file: '/never/started' }),
    settings: fakeSettings(),
    sharing: createFakeSharing(),
    engine: createFakeEngine(),
    doctor: {
      run: () => Promise.resolve({ atMs: startedAtMs, peerId: SELF, checks: [] }),
      peer: (peerId) => Promise.resolve({ atMs: startedAtMs, peerId, checks: [] }),
      live: { state: () => ({ checks: [...checks], asking: null, askedAtMs: null }), subscribe: changes.subscribe },
    },
    chats: {
      load: () => Promise.resolve({ ...FAKE_CHATS }),
      save: () => Promise.resolve({ dropped: [] }),
      forget: () => Promise.resolve(),
    },
    apiKeys: createFakeApiKeys(),
    people: createFakePeople(),
    joining: { ...FAKE_JOINING },
    lifetime: {},
    keyUsage: createKeyUsage({ traffic, clock: Date }),
    isKeyRequired: () => true,
    identity: FAKE_IDENTITY,
    bootstrapper: { status: () => FAKE_SOURCES, subscribe: changes.subscribe },
    logs: { lines: () => [...lines], subscribe: changes.subscribe },
    gatewayUrl: () => (options.gatewayUrl === undefined ? 'http://127.0.0.1:8092' : options.gatewayUrl),
    log: fakeLog(errors),
  }

  return {
    control: createControl(needs),
    needs,
    traffic,
    errors,
    connect(peerId, path = 'direct-quic') {
      open.push({
        peerId,
        multiaddr: `/ip4/192.0.2.7/udp/59820/quic-v1/p2p/${peerId}`,
        path,
        direction: 'outbound',
        openedAtMs: startedAtMs,
      })
      changes.announce()
    },
    disconnect(peerId) {
      open.splice(0, open.length, ...open.filter((connection) => connection.peerId !== peerId))
      changes.announce()
    },
    offer(peerId, service, groups) {
      const record = emptyPeerRecord(peerId)
      const offered = { name: service, status: 'connected', host: '', port: '', hardware: record.hardware }
      record.service.push({ ...offered, identity_group: groups })
      record.version = '0.1.0'
      record.latency = 12
      rows.set(peerId, { peerId, record, seq: 1, epoch: 20_000, expiresAtMs: startedAtMs + 600_000 })
      changes.announce()
    },
    serve(service) {
      services.set(service.id, { ...DEFAULT_SERVICE, ...service })
      changes.announce()
    },
    find(found) {
      checks = found
      changes.announce()
    },
    writeLog(message, level = 'info') {
      lines.push({
        seq: lines.length,
        atMs: startedAtMs + lines.length,
        level,
        component: 'test',
        message,
        fields: '',
      })
      changes.announce()
    },
  }
}

const FINE: Check = { id: 'peers', state: 'ok', fact: '1 peer connected.', meaning: 'It works.', fix: '' }

const FAKE_SOURCES: ReturnType<ControlNeeds['bootstrapper']['status']> = [
  {
    source: 'http://a-node.invalid:8092/v1/dnt/bootstraps',
    setting: 'bootstrap.sources',
    state: 'ok',
    addresses: 3,
    reason: undefined,
    askedAtMs: STARTED_AT_MS,
  },
  {
    source: 'http://gone.invalid/bootstraps',
    setting: 'bootstrap.sources',
    state: 'failed',
    addresses: 0,
    reason: 'no answer within 10 s',
    askedAtMs: STARTED_AT_MS,
  },
  {
    source: '/ip4/nonsense',
    setting: 'bootstrap.addr',
    state: 'bad',
    addresses: 0,
    reason: 'it is no address',
    askedAtMs: undefined,
  },
]

const FAKE_IDENTITY: ControlNeeds['identity'] = {
  view: () => ({ peerId: SELF, seeded: false, file: '/data/identity.key', nextPeerId: null }),
  backup: () => Promise.resolve({ fileName: 'ocf-identity.json', text: '{}' }),
  inspect: () => ({ peerId: ALICE, madeAtMs: STARTED_AT_MS, same: false }),
  restore: () =>
    Promise.resolve({
      identity: { peerId: SELF, seeded: false, file: '/data/identity.key', nextPeerId: ALICE },
      keptAs: 'identity.key.bak-20231114T221320Z',
      people: 1,
    }),
}

const DEFAULT_SERVICE: LocalService = {
  id: 'llm@127.0.0.1:11434',
  name: 'llm',
  host: '127.0.0.1',
  port: 11434,
  status: 'connected',
  identityGroups: [],
  published: true,
  visibility: 'everyone',
  visibilities: new Map(),
  sharedPaths: [{ method: 'POST', path: '/v1/chat/completions' }],
  serverModelIds: new Map(),
  models: [],
  problem: undefined,
}

function createChanges() {
  const listeners = new Set<() => void>()
  return {
    subscribe: (listener: () => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    announce: () => listeners.forEach((listener) => listener()),
  }
}

function fakeTable(rows: Map<string, Row>, subscribe: (listener: () => void) => () => void): NodeTable {
  const entries = (service: string): Map<string, Set<string>> => {
    const found = new Map<string, Set<string>>()
    for (const row of rows.values()) {
      for (const offered of row.record.service.filter(({ name }) => name === service)) {
        for (const entry of offered.identity_group) {
          found.set(entry, (found.get(entry) ?? new Set()).add(row.peerId))
        }
      }
    }
    return found
  }
  return {
    ...stillService('node-table'),
    publish: () => Promise.resolve(),
    withdraw: () => Promise.resolve(),
    get: (peerId) => rows.get(peerId),
    rows: () => rows.values(),
    get size() {
      return rows.size
    },
    providers: (service, entry) => new ProviderSet(entries(service).get(entry)),
    findProviders: (service, entry) => Promise.resolve(entries(service).get(entry) ?? new Set()),
    status: {
      get: () => undefined,
      peek: () => undefined,
      refresh: () => Promise.resolve({ kind: 'unsupported' }),
      hint: () => undefined,
      subscribe: () => () => undefined,
    },
    offers: NO_OFFERS,
    health: () => ({
      ...{ clockAheadMs: null, isClockWrong: false, leaseMs: 600_000 },
      ...{ isUsedElsewhere: false, isFull: false, bannedPeers: [], reader: 'full' },
    }),
    entries,
    subscribe: (listener) => subscribe(listener as () => void),
  }
}

/** Models of own services and of all peers, as if each had answered since its row came; by a scan. */
function fakeModels(rows: ReadonlyMap<string, Row>, services: ReadonlyMap<string, LocalService>): RoutableModel[] {
  const idsOf = (groups: readonly string[]): string[] =>
    groups.filter((group) => /^model=(?!\*$)./.test(group)).map((group) => group.slice('model='.length))
  const found = new Map<string, RoutableModel>()
  const modelOf = (id: string): RoutableModel => {
    const model = found.get(id) ?? { id, own: [], peers: [], inTrust: new Set<string>() }
    found.set(id, model)
    return model
  }
  for (const service of services.values()) {
    if (service.status !== 'connected') continue
    for (const id of idsOf(service.identityGroups)) {
      const listed = service.models.find((model) => model.id === id)
      modelOf(id).own.push(service)
      modelOf(id).facts ??= listed && factsOf(listed, service)
    }
  }
  for (const { peerId, record } of rows.values()) {
    const groups = record.service.filter(({ name }) => name === 'llm').flatMap((service) => service.identity_group)
    for (const id of idsOf(groups)) modelOf(id).peers.push(peerId)
  }
  return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

function fakeRegistry(services: Map<string, LocalService>, subscribe: (listener: () => void) => () => void) {
  const registry: ServiceRegistry = {
    ...stillService('services'),
    list: () => [...services.values()],
    sharedWith: () => [...services.values()].filter(({ published }) => published),
    get: (id) => services.get(id),
    connected: (name) => [...services.values()].filter((s) => s.name === name && s.status === 'connected'),
    add: () => '',
    check: () => '',
    remove: () => Promise.resolve(false),
    reportFailure: () => undefined,
    reportLoop: () => undefined,
    reportSuccess: () => undefined,
    reportMissing: () => undefined,
    recheck: () => Promise.resolve(),
    apiKey: () => undefined,
    subscribe,
  }
  return registry
}

function fakeSettings(): Omit<SettingsSource, 'next'> {
  return {
    list: () => [
      {
        name: 'port',
        group: 'Gateway: the address your apps use',
        value: '8092',
        origin: 'default',
        originLabel: 'default',
        help: 'Port of the gateway.',
        cost: '0 takes any free port.',
        restart: true,
        kind: 'number',
        choices: [],
        expected: 'a port from 0 to 65535',
        default: '8092',
        next: null,
        editable: true,
        secret: false,
      },
    ],
    save: () => Promise.resolve({ restartNeeded: true }),
    saveAll: () => Promise.resolve({ restartNeeded: true }),
  }
}

function stillService(name: string) {
  return { name, start: () => Promise.resolve(), stop: () => Promise.resolve() }
}

function fakeLog(errors: unknown[]): Log {
  const log: Log = {
    forComponent: () => log,
    trace: () => undefined,
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (message, fields) => errors.push({ message, ...fields }),
  }
  return log
}
