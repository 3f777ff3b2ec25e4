import { AppError } from '#shared/errors.js'
import type { Clock } from '../base/clock.js'
import { findPortHolder } from '../config/index.js'
import type { Log } from '../logging/index.js'
import type { NodeTable } from '../node-table/index.js'
import type { Bootstrapper, BootstrapSourceStatus } from '../p2p/bootstrap/index.js'
import type { Host, NetworkMode, PeerConnection, ReachFacts } from '../p2p/index.js'
import type { ServiceRegistry } from '../services/index.js'
import type { OpenFiles, OpenFileShares } from '../services/machine/index.js'
import { readDiskUse, type DiskUse } from './disk-use.js'

/** What the doctor examines. */
export interface DoctorNeeds {
  host: Host
  bootstrapper: Pick<Bootstrapper, 'status'>
  table: Pick<NodeTable, 'rows' | 'get' | 'size' | 'health'>
  registry: Pick<ServiceRegistry, 'list'>
  clock: Clock
  openFiles: () => OpenFilesFact
  log: Log
}

/** Descriptors of this process, and for how many connections they are. */
export type OpenFilesFact = OpenFiles & { shares: OpenFileShares }

/** What the settings asked for. */
export interface DoctorOptions {
  mode: NetworkMode
  dataDir: string
  publicAddr: string
  ports: { tcpport: number; wsport: number; udpport: number }
}

/** Everything the checks read, gathered at one moment. */
export interface DoctorFacts {
  mode: NetworkMode
  nowMs: number
  /** As `public-addr` was given; empty where it was not. */
  publicAddr: string
  reach: ReachFacts
  connections: readonly PeerConnection[]
  bootstrap: readonly BootstrapSourceStatus[]
  /** Rows of the node table besides this node's own. */
  knownPeers: number
  /** Milliseconds this clock is ahead of the peers'; undefined while none reported. */
  clockAheadMs: number | undefined
  /** Whether enough of them agree that this clock is the wrong one. */
  isClockWrong: boolean
  /** Whether another machine uses this node's identity. */
  isUsedElsewhere: boolean
  ports: readonly PortFact[]
  openFiles: OpenFilesFact
  /** Undefined until it was read. */
  diskUse: DiskUse | undefined
  /** Whether peers may use something of this machine. */
  isSharing: boolean
}

/** A port of the settings and who holds it. */
export interface PortFact {
  setting: 'tcpport' | 'wsport' | 'udpport'
  /** As set; 0 is any free port. */
  port: number
  listening: boolean
  /** `python3 (pid 4312)`, if it is another program that could be identified. */
  holder: string | undefined
}

/** Reads everything the checks need, as it is known now. @throws AppError `node_not_running` */
export function readFacts(
  { host, bootstrapper, table, registry, clock, openFiles }: DoctorNeeds,
  options: DoctorOptions,
  slow: { ports: Pick<PortHolders, 'facts'>; disk: Pick<DiskReader, 'use'> },
): DoctorFacts {
  const reach = host.reach?.()
  if (reach === undefined) throw new AppError('node_not_running', 'The network of this node is not started.')
  const { clockAheadMs, isClockWrong, isUsedElsewhere } = table.health()
  return {
    mode: options.mode,
    nowMs: clock.now(),
    publicAddr: options.publicAddr,
    reach,
    connections: host.connections(),
    bootstrap: bootstrapper.status(),
    knownPeers: table.size - (table.get(host.peerId) === undefined ? 0 : 1),
    clockAheadMs: clockAheadMs ?? undefined,
    isClockWrong,
    isUsedElsewhere,
    ports: slow.ports.facts(reach),
    openFiles: openFiles(),
    diskUse: slow.disk.use(),
    isSharing: registry.list().some(({ published }) => published),
  }
}

/** How much of its disk the data folder takes. */
export interface DiskReader {
  /** As it was read last. */
  use(): DiskUse | undefined
  /** Reads it, at most every half a minute. Never rejects. */
  read(): Promise<void>
}

/** Reads a data folder. */
export function createDiskReader(dataDir: string): DiskReader {
  let use: DiskUse | undefined
  let readAtMs = Number.NEGATIVE_INFINITY
  return {
    use: () => use,
    async read() {
      if (performance.now() - readAtMs < SCAN_EVERY_MS) return
      readAtMs = performance.now()
      use = await readDiskUse(dataDir)
    },
  }
}

/** Who holds the ports of the settings. */
export interface PortHolders {
  /** What is known: a port this node does not listen on has no holder before the first scan. */
  facts(reach: Pick<ReachFacts, 'listening' | 'privateNetwork'>): PortFact[]
  /** Finds out who holds the ports this node does not listen on, at most every half a minute. */
  scan(reach: Pick<ReachFacts, 'listening' | 'privateNetwork'>): Promise<void>
}

const SETTINGS = ['tcpport', 'wsport', 'udpport'] as const
const SCAN_EVERY_MS = 30_000

/** Ports as set; 0 is any free port. */
export function createPortHolders(ports: Readonly<Record<PortFact['setting'], number>>): PortHolders {
  const holders = new Map<PortFact['setting'], string>()
  let scannedAtMs = Number.NEGATIVE_INFINITY

  // QUIC is off in a private network.
  const wanted = (privateNetwork: boolean): PortFact['setting'][] =>
    SETTINGS.filter((setting) => setting !== 'udpport' || !privateNetwork)

  return {
    facts: ({ listening, privateNetwork }) =>
      wanted(privateNetwork).map((setting) => {
        const isOurs = isListenedOn(setting, ports[setting], listening)
        return { setting, port: ports[setting], listening: isOurs, holder: isOurs ? undefined : holders.get(setting) }
      }),
    async scan({ listening, privateNetwork }) {
      if (performance.now() - scannedAtMs < SCAN_EVERY_MS) return
      scannedAtMs = performance.now()
      for (const setting of wanted(privateNetwork)) {
        const port = ports[setting]
        if (port === 0 || isListenedOn(setting, port, listening)) continue
        const holder = await findPortHolder(port, transportOf(setting))
        const isOther = holder !== undefined && holder.pid !== process.pid
        if (isOther) holders.set(setting, `${holder.program} (pid ${holder.pid})`)
        else holders.delete(setting)
      }
    },
  }
}

const transportOf = (setting: PortFact['setting']): 'tcp' | 'udp' => (setting === 'udpport' ? 'udp' : 'tcp')

function isListenedOn(setting: PortFact['setting'], port: number, listening: readonly string[]): boolean {
  return listening.some((address) => {
    const parts = address.split('/')
    const isWs = parts.includes('ws')
    return (
      parts[3] === transportOf(setting) && isWs === (setting === 'wsport') && (port === 0 || parts[4] === String(port))
    )
  })
}
