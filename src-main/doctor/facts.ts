import type { BootstrapSourceStatus } from '../p2p/bootstrap/index.js'
import type { NetworkMode, PeerConnection, ReachFacts } from '../p2p/index.js'

/** Everything the checks look at, gathered at one moment. */
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
  /** Milliseconds this clock is ahead of the peers'; undefined while none told. */
  clockAheadMs: number | undefined
  ports: readonly PortFact[]
  /** Whether peers may use something of this machine. */
  isSharing: boolean
}

/** A port of the settings and who has it. */
export interface PortFact {
  setting: 'tcpport' | 'wsport' | 'udpport'
  /** As it was asked for; 0 is any free one. */
  port: number
  listening: boolean
  /** `python3 (pid 4312)`, where it is not this node and could be found out. */
  holder: string | undefined
}

/** What was found on the way to one peer. */
export interface PeerFacts {
  peerId: string
  nowMs: number
  isSelf: boolean
  /** Addresses this node knows of the peer. */
  known: readonly string[]
  inTable: boolean
  connections: readonly PeerConnection[]
  dials: readonly { address: string; ms: number; error: string | undefined }[]
  protocols: readonly string[]
  /** The peer's answer to a health request over a stream. */
  health: { ok: boolean; ms: number; detail: string } | undefined
}
