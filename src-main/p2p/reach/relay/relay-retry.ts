import type { Libp2p, PeerId } from '@libp2p/interface'
import type { Log } from '../../../logging/index.js'
import { RELAY_HOP, type RelayReservations } from './relay-reservations.js'

/** Asks relays again that gave no reservation the first time. */
export interface RelayRetry {
  stop(): void
}

const CHECK_EVERY_MS = 5_000
/** Checks that pass before a relay is asked again: 1, 2, 4 … and at most so many. */
const MAX_CHECKS = 120
/** Connected relays that are checked. */
const MAX_RELAYS = 16

/**
 * The library asks a relay once, when it meets it. Where two connections to it are made side by side, one of them is
 * closed again, and the question with it: the node would then have no reservation, and no peer could reach it.
 */
export function createRelayRetry(needs: {
  libp2p: Pick<Libp2p, 'peerStore' | 'getConnections'>
  reservations: Pick<RelayReservations, 'untilMs' | 'isWanting' | 'ask'>
  log: Log
}): RelayRetry {
  const { libp2p, reservations, log } = needs
  const waits = new Map<string, { checks: number; left: number }>()
  let isChecking = false

  async function check(): Promise<void> {
    const relays = await libp2p.peerStore.all({ filters: [(peer) => peer.protocols.includes(RELAY_HOP)], limit: 100 })
    const connected = relays.map(({ id }) => id).filter((id) => libp2p.getConnections(id).length > 0)
    const ids = new Set(connected.map(String))
    for (const id of waits.keys()) if (!ids.has(id)) waits.delete(id)
    for (const id of connected.slice(0, MAX_RELAYS)) {
      if (!reservations.isWanting) return
      if (reservations.untilMs(id.toString()) === undefined && isDue(id.toString())) await ask(id)
    }
  }

  function isDue(id: string): boolean {
    const wait = waits.get(id) ?? { checks: 1, left: 1 }
    waits.set(id, wait)
    wait.left -= 1
    if (wait.left > 0) return false
    wait.checks = Math.min(wait.checks * 2, MAX_CHECKS)
    wait.left = wait.checks
    return true
  }

  async function ask(id: PeerId): Promise<void> {
    try {
      await reservations.ask(id)
    } catch (error) {
      log.debug('a relay gave no reservation', { relay: id.toString(), error })
    }
  }

  const timer = setInterval(() => {
    if (isChecking || !reservations.isWanting) return
    isChecking = true
    check()
      .catch((error: unknown) => log.debug('relays could not be checked', { error }))
      .finally(() => {
        isChecking = false
      })
  }, CHECK_EVERY_MS).unref()

  return { stop: () => clearInterval(timer) }
}
