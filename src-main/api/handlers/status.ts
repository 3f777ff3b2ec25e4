import type { Status } from '#shared/contract/node/node.js'
import type { PauseState } from '#shared/contract/sharing/pause.js'
import { causeOf } from '../../doctor/index.js'
import type { GoNetwork } from '../../go-network/index.js'
import type { NodeTable } from '../../node-table/index.js'
import { countPaths } from '../../p2p/index.js'
import type { GpuReader } from '../../services/machine/index.js'
import type { Pause } from '../../services/sharing/pause/index.js'
import type { Shares } from '../../services/sharing/shares/index.js'
import type { TrafficFeed } from '../../telemetry/index.js'
import type { Handlers } from '../dispatch.js'
import type { FeedSource } from '../feeds.js'
import type { DoctorNeeds } from './doctor.js'
import { listModels, type ModelsNeeds } from './models.js'
import type { ConnectionsSource } from './peers.js'

/** What does not change while the node runs. */
export interface NodeFacts {
  readonly version: string
  readonly mode: Status['mode']
  /** Unix milliseconds. */
  readonly startedAtMs: number
}

/** What the program around the node does with it when asked, a moment later; each is absent where it can't. */
export interface Lifetime {
  /** Stops the node and starts it again with what was saved. */
  restart?: (() => void) | undefined
  /** Stops the node and ends the program. */
  stop?: (() => void) | undefined
}

/** Its driver is not asked more often for a page that is looked at. */
const GPU_MAX_AGE_MS = 5_000

/** What the status topic reads. */
export interface StatusNeeds extends ModelsNeeds, DoctorNeeds {
  /** This node's part in the Go implementation's network; absent: none. */
  goNetwork?: Pick<GoNetwork, 'isProvider' | 'view'>
  gpus: Pick<GpuReader, 'read'>
  facts: NodeFacts
  lifetime: Lifetime
  connections: ConnectionsSource
  table: Pick<NodeTable, 'subscribe' | 'status' | 'size' | 'get'>
  traffic: Pick<TrafficFeed, 'today' | 'subscribe'>
  sharing: ModelsNeeds['sharing'] & {
    pause: Pick<Pause, 'state' | 'subscribe'>
    shares: Pick<Shares, 'wasUpgraded' | 'subscribe'>
  }
  /** The gateway's base address without `/v1`; null while it has no port. */
  gatewayUrl(): string | null
}

/** `node.*`. */
export function createNodeHandlers(needs: StatusNeeds): Pick<Handlers, Extract<keyof Handlers, `node.${string}`>> {
  const { lifetime } = needs
  return {
    'node.status': () => readStatus(needs),
    'node.capabilities': (_input, context) => [...context.capabilities],
    'node.gpus': async () => {
      const fact = await needs.gpus.read(GPU_MAX_AGE_MS)
      if (!fact.known) return []
      return fact.value.map(({ name, total_memory: memoryMiB, used_memory: usedMiB, busyPercent, celsius }) => ({
        ...{ name, memoryMiB, usedMiB, busyPercent, celsius },
      }))
    },
    'node.restart': () => {
      lifetime.restart?.()
      return { restarting: lifetime.restart !== undefined }
    },
    'node.stop': () => {
      lifetime.stop?.()
      return { stopping: lifetime.stop !== undefined, pid: process.pid }
    },
  }
}

/** The `status` feed. */
export function createStatusFeed(needs: StatusNeeds): FeedSource<Status> {
  return {
    snapshot: () => readStatus(needs),
    subscribe(listener) {
      const { connections, table, registry, traffic, sharing, doctor } = needs
      const sources = [
        connections,
        table,
        registry,
        traffic,
        sharing.pause,
        sharing.shares,
        ...(doctor === undefined ? [] : [doctor.live]),
      ]
      const stops = sources.map((source) => source.subscribe(listener))
      return () => stops.forEach((stop) => stop())
    },
  }
}

function readStatus(needs: StatusNeeds): Status {
  const { connections, facts, table } = needs
  const models = listModels(needs)
  const shared = models.filter((model) => model.shared).length
  const open = connections.connections()
  const peers = new Set(open.map((connection) => connection.peerId)).size
  const pause = pauseThatCounts(needs.sharing.pause.state(), shared)
  const goNetwork = needs.goNetwork?.view()
  const cause = needs.doctor === undefined ? undefined : causeOf(needs.doctor.live.state().checks)
  return {
    ...facts,
    peerId: connections.peerId,
    gatewayUrl: needs.gatewayUrl(),
    multiaddrs: connections.multiaddrs(),
    peers,
    paths: countPaths(open),
    knownPeers: table.size - (table.get(connections.peerId) === undefined ? 0 : 1),
    models: { available: models.length, shared },
    requestsToday: needs.traffic.today(),
    state: {
      kind: pause === undefined ? stateKind(facts.mode, peers, shared) : 'paused',
      path: peers === 0 ? null : open.some((connection) => connection.path !== 'relayed') ? 'direct' : 'relayed',
      ...(pause === undefined ? {} : { pause }),
      ...(cause === undefined ? {} : { cause }),
    },
    ...(goNetwork === undefined ? {} : { goNetwork }),
    ...(needs.sharing.shares.wasUpgraded ? { notices: [SHARES_UPGRADED] } : {}),
  }
}

/** The person shared before it could be said with whom. */
const SHARES_UPGRADED = {
  id: 'shares-upgraded',
  sentence:
    'What you shared before stays shared with everyone. You can now share with the people you trust only, or keep a model for this computer.',
} as const

/** Why sharing is paused; undefined while it is not, or where a rule pauses what is not shared anyhow. */
export function pauseThatCounts({ paused, reasons }: PauseState, shared: number): Status['state']['pause'] {
  const [reason] = reasons
  if (!paused || reason === undefined) return undefined
  if (shared === 0 && !reasons.some(({ cause }) => cause === 'manual')) return undefined
  return { sentence: reason.sentence, untilMs: reason.untilMs }
}

/** Sharing counts only with a peer: without one, the missing peer is the news. */
export function stateKind(mode: Status['mode'], peers: number, shared: number): Status['state']['kind'] {
  if (peers > 0) return shared > 0 ? 'sharing' : 'connected'
  return mode === 'standalone' ? 'standalone' : 'alone'
}
