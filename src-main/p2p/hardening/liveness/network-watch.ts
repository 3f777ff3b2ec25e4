// For Node 24 and libp2p 3.3.11: neither tells when an address of this machine goes or that the machine slept, and a
// connection that is lost that way looks open for minutes. Goes when one of them does.

import type { Connection, Libp2p } from '@libp2p/interface'
import { monotonicClock, systemClock, type Clock, type MonotonicClock } from '../../../base/clock.js'
import type { Log } from '../../../logging/index.js'
import { isRelayed } from '../../dial/dial-order.js'
import { hostOf, scopeOf } from '../../dial/ip-scope.js'
import { networkInterfaces } from '../network-interfaces.js'
import { DeadPeerError } from './dead-peer.js'
import { localAddressOf } from './liveness-probe.js'
import type { LivenessWatch } from './liveness-watch.js'
import { answersPing, dropDeadConnections } from './pings.js'

/** What it looks at, and what it tells of connections. */
export interface NetworkWatchNeeds {
  libp2p: Pick<Libp2p, 'getConnections' | 'addEventListener' | 'removeEventListener'>
  liveness: Pick<LivenessWatch, 'superseded'>
  log: Log
  clock?: Clock
  monotonic?: MonotonicClock
  /** Processor time of this process so far, ms. */
  cpuMs?: () => number
  /** This machine's addresses now. */
  addresses?: () => ReadonlySet<string>
}

const LOOK_EVERY_MS = 1_000
/** A connection that may have gone with an address answers a ping within this, or is closed. */
const ANSWERS_WITHIN_MS = 750
/** A look that comes this much too late means that the machine slept, unless the process was at work all the time. */
const SLEPT_MS = 5_000
/** A process that used a processor for this share of the time was overloaded, not asleep: no peer has forgotten it. */
const AT_WORK_SHARE = 0.1

/**
 * Closes connections whose local address this machine no longer has, pings all after it slept, and has a peer's older
 * connections prove themselves when it connects anew. Returns the way to stop.
 */
export function watchNetwork(needs: NetworkWatchNeeds): () => void {
  const { libp2p, liveness, log, clock = systemClock, monotonic = monotonicClock } = needs
  const { addresses = ownAddresses, cpuMs = cpuOfProcess } = needs
  const at = () => ({ wallMs: clock.now(), ms: monotonic.elapsedMs(), cpuMs: cpuMs() })
  let known = addresses()
  let lookedAt = at()

  function look(): void {
    const before = lookedAt
    lookedAt = at()
    // The monotonic clock stands still on some systems while the machine sleeps.
    const passedMs = Math.max(lookedAt.wallMs - before.wallMs, lookedAt.ms - before.ms)
    const wasAtWork = lookedAt.cpuMs - before.cpuMs > passedMs * AT_WORK_SHARE
    if (passedMs > LOOK_EVERY_MS + SLEPT_MS && !wasAtWork) void dropDeadConnections({ libp2p, log })
    const now = addresses()
    const gone = new Set([...known].filter((address) => !now.has(address)))
    known = now
    if (gone.size > 0) leave(gone)
  }

  function leave(gone: ReadonlySet<string>): void {
    let closed = 0
    for (const connection of libp2p.getConnections()) {
      const local = localAddressOf(connection)
      if (local === undefined) {
        if (isFar(connection)) void leaveUnlessAnswered(connection)
      } else if (gone.has(local)) {
        closed += 1
        connection.abort(lostAddress())
      }
    }
    log.info('addresses of this machine are gone, and connections from there with them', { gone: [...gone], closed })
  }

  function onOpen({ detail }: CustomEvent<Connection>): void {
    for (const older of libp2p.getConnections(detail.remotePeer)) {
      if (older !== detail && older.status === 'open' && !isRelayed(older)) liveness.superseded(older)
    }
  }

  libp2p.addEventListener('connection:open', onOpen)
  const timer = setInterval(look, LOOK_EVERY_MS).unref()
  return () => {
    clearInterval(timer)
    libp2p.removeEventListener('connection:open', onOpen)
  }
}

/** QUIC tells no local address, and does not always move to the next one. */
async function leaveUnlessAnswered(connection: Connection): Promise<void> {
  if (connection.status !== 'open' || (await answersPing(connection, ANSWERS_WITHIN_MS))) return
  connection.abort(lostAddress())
}

const lostAddress = (): Error => new DeadPeerError(true, { message: 'an address of this machine is gone' })

const isFar = ({ remoteAddr }: Connection): boolean => scopeOf(hostOf(remoteAddr.toString())) !== 'loopback'

function ownAddresses(): ReadonlySet<string> {
  return new Set(Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? []))
}

function cpuOfProcess(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
