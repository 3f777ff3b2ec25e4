import type { Check, DoctorReport } from '#shared/contract/doctor.js'
import type { Clock } from '../clock.js'
import type { Log } from '../logging/index.js'
import type { NodeTable } from '../node-table/index.js'
import type { Bootstrapper } from '../p2p/bootstrap/index.js'
import { assertPeerId } from '../p2p/http/peer-clients.js'
import type { Host, NetworkMode } from '../p2p/index.js'
import { gatherFacts } from './gather.js'
import { gatherPeerFacts } from './gather-peer.js'
import { checkBootstrap, checkClock, checkDht, checkPeers, checkPorts } from './network-checks.js'
import { checkPeer } from './peer-checks.js'
import { checkFirewall, checkListening, checkNat, checkReachable, checkRelays, checkRouter } from './reach-checks.js'
import type { DoctorFacts } from './facts.js'

/** Tells what is wrong with this node's connections, and what to do. */
export interface Doctor {
  /** Asks peers to dial this node first, for at most 15 s. */
  run(): Promise<DoctorReport>
  /** @throws AppError `invalid_peer_id` */
  peer(peerId: string): Promise<DoctorReport>
}

export interface DoctorNeeds {
  host: Host
  bootstrapper: Pick<Bootstrapper, 'status'>
  table: Pick<NodeTable, 'rows' | 'get' | 'size' | 'health'>
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
  const { host, clock } = needs
  return {
    async run() {
      const facts = await gatherFacts(needs, options)
      return { atMs: clock.now(), peerId: host.peerId, checks: checkAll(facts) }
    },
    async peer(peerId) {
      assertPeerId(peerId)
      return { atMs: clock.now(), peerId, checks: checkPeer(await gatherPeerFacts(needs, peerId)) }
    },
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
