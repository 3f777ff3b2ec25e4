import type { Check, DoctorReport } from '#shared/contract/node/doctor.js'
import { assertPeerId } from '../p2p/index.js'
import { checkDiskUse } from './disk-use.js'
import {
  createDiskReader,
  createPortHolders,
  readFacts,
  type DoctorFacts,
  type DoctorNeeds,
  type DoctorOptions,
  type OpenFilesFact,
} from './facts.js'
import { gatherPeerFacts } from './gather-peer.js'
import { createLiveDoctor, type LiveDoctor } from './live.js'
import { checkBootstrap, checkClock, checkDht, checkIdentity, checkPeers, checkPorts } from './network-checks.js'
import { checkOpenFiles } from './open-files-check.js'
import { checkPeer } from './peer-checks.js'
import { checkFirewall, checkListening, checkNat, checkReachable, checkRelays, checkRouter } from './reach-checks.js'
export type { OpenFilesFact }
export { causeOf } from './live.js'
export { examineOffline, type OfflineOptions } from './offline.js'

/** Peers are asked to dial this node for at most this long. */
const ASK_MS = 15_000

/** Finds what is wrong with this node's connections and says what to do. */
export interface Doctor {
  /** Asks peers to dial this node first, for at most 15 s. */
  run(): Promise<DoctorReport>
  /** @throws AppError `invalid_peer_id` */
  peer(peerId: string): Promise<DoctorReport>
  /** What it knows without asking peers. */
  readonly live: LiveDoctor
}

/** The doctor of a running node. */
export function createDoctor(needs: DoctorNeeds, options: DoctorOptions): Doctor {
  const { host, clock, log } = needs
  const ports = createPortHolders(options.ports)
  const disk = createDiskReader(options.dataDir)
  const read = (): DoctorFacts => readFacts(needs, options, { ports, disk })

  async function scanSlowFacts(): Promise<void> {
    await disk.read()
    try {
      await ports.scan(host.reach?.() ?? { listening: [], privateNetwork: false })
    } catch (error) {
      log.debug('the holders of the ports could not be found', { error })
    }
  }

  const live = createLiveDoctor({
    ...{ read, scanSlowFacts, log },
    check: checkAll,
    isAlone: () => host.libp2p.getPeers().length === 0,
  })
  return {
    live,
    async run() {
      const asking = askPeers(needs)
      // Followers see at once that peers are being asked, and then what they say.
      live.changed()
      await Promise.all([asking, scanSlowFacts()])
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

/** Every check of a node, the most important first. */
export function checkAll(facts: DoctorFacts): Check[] {
  return [
    checkPeers(facts),
    ...checkIdentity(facts),
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
    checkOpenFiles(facts.openFiles),
    checkDiskUse(facts.diskUse),
  ]
}
