import type { Check, DoctorReport } from '#shared/contract/doctor.js'
import type { Clock } from '../base/clock.js'
import type { Log } from '../logging/index.js'
import type { NodeTable } from '../node-table/index.js'
import type { Bootstrapper } from '../p2p/bootstrap/index.js'
import { assertPeerId } from '../p2p/http/peer-clients.js'
import type { Host, NetworkMode } from '../p2p/index.js'
import type { ServiceRegistry } from '../services/index.js'
import { readFacts } from './gather.js'
import { gatherPeerFacts } from './gather-peer.js'
import { checkBootstrap, checkClock, checkDht, checkPeers, checkPorts } from './network-checks.js'
import { checkPeer } from './peer-checks.js'
import { checkFirewall, checkListening, checkNat, checkReachable, checkRelays, checkRouter } from './reach-checks.js'
import { createLiveDoctor, type LiveDoctor } from './live.js'
import { createPortHolders } from './port-holders.js'
import type { DoctorFacts } from './facts.js'

/** Peers are asked to dial this node for at most this long. */
const ASK_MS = 15_000

/** Tells what is wrong with this node's connections, and what to do. */
export interface Doctor {
  /** Asks peers to dial this node first, for at most 15 s. */
  run(): Promise<DoctorReport>
  /** @throws AppError `invalid_peer_id` */
  peer(peerId: string): Promise<DoctorReport>
  /** What it knows without asking anybody. */
  readonly live: LiveDoctor
}

export interface DoctorNeeds {
  host: Host
  bootstrapper: Pick<Bootstrapper, 'status'>
  table: Pick<NodeTable, 'rows' | 'get' | 'size' | 'health'>
  registry: Pick<ServiceRegistry, 'list'>
  clock: Clock
  log: Log
}

/** What the settings asked for. */
export interface DoctorOptions {
  mode: NetworkMode
  publicAddr: string
  ports: { tcpport: number; wsport: number; udpport: number }
}

export function createDoctor(needs: DoctorNeeds, options: DoctorOptions): Doctor {
  const { host, clock, log } = needs
  const ports = createPortHolders(options.ports)
  const read = (): DoctorFacts => readFacts(needs, options, ports)

  async function lookAround(): Promise<void> {
    try {
      await ports.look(host.reach?.() ?? { listening: [], privateNetwork: false })
    } catch (error) {
      log.debug('who has the ports could not be found out', { error })
    }
  }

  const live = createLiveDoctor({
    ...{ read, lookAround, log },
    check: checkAll,
    isAlone: () => host.libp2p.getPeers().length === 0,
  })
  return {
    live,
    async run() {
      const asking = askPeers(needs)
      // Whoever follows sees at once that peers are asked, and at once what they say.
      live.changed()
      await Promise.all([asking, lookAround()])
      live.changed()
      return { atMs: clock.now(), peerId: host.peerId, checks: checkAll(read()) }
    },
    async peer(peerId) {
      assertPeerId(peerId)
      return { atMs: clock.now(), peerId, checks: checkPeer(await gatherPeerFacts(needs, peerId)) }
    },
  }
}

async function askPeers({ host, log }: DoctorNeeds): Promise<void> {
  try {
    await host.askReach?.(AbortSignal.timeout(ASK_MS))
  } catch (error) {
    log.debug('peers could not be asked to dial this node', { error })
  }
}

/** Every check of a node, the most telling first. */
export function checkAll(facts: DoctorFacts): Check[] {
  return [
    checkPeers(facts),
    ...checkBootstrap(facts),
    checkListening(facts),
    checkReachable(facts),
    checkRouter(facts),
    checkNat(facts),
    checkFirewall(facts),
    checkRelays(facts),
    checkDht(facts),
    checkClock(facts),
    ...checkPorts(facts),
  ]
}
