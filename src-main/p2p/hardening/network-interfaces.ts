// For Node 24: os.networkInterfaces throws where no descriptor is left (EMFILE) and where a process may not ask the
// kernel (EACCES or EAFNOSUPPORT: Termux, proot, units without AF_NETLINK). @libp2p/utils 7.4.1 calls it for each list of
// addresses, multicast-dns 7.2.5 from a timer every 5 s and @chainsafe/libp2p-quic 2.1.1 at its import, and none of them
// catches, so it would end the process. Goes when they do.

import { syncBuiltinESMExports } from 'node:module'
import os, { type NetworkInterfaceInfo } from 'node:os'
import { atMostEvery, type Log } from '../../logging/index.js'

type Interfaces = NodeJS.Dict<NetworkInterfaceInfo[]>

/** Each attempt to read them fails alike, several times a second. */
const WARN_EVERY_MS = 10 * 60_000

/** What every machine has; a node that listens on all addresses has at least these. */
const LOOPBACK_ONLY: Interfaces = {
  loopback: [
    {
      address: '127.0.0.1',
      netmask: '255.0.0.0',
      family: 'IPv4',
      mac: '00:00:00:00:00:00',
      internal: true,
      cidr: '127.0.0.1/8',
    },
  ],
}

const askSystem = os.networkInterfaces
let lastKnown: Interfaces = LOOPBACK_ONLY
let onFailure: (error: unknown) => void = () => undefined

/**
 * This machine's network interfaces. Never throws: while the system does not tell them, they are those it told last, and
 * loopback alone before that.
 */
export function networkInterfaces(): Interfaces {
  try {
    lastKnown = askSystem()
  } catch (error) {
    onFailure(error)
  }
  return lastKnown
}

/**
 * Puts {@link networkInterfaces} in the place of Node's function for the whole process, the libraries included. A failure
 * is logged to the log that came last, at most every ten minutes. To be called before the host is made.
 */
export function guardNetworkInterfaces(needs: { log: Log }): void {
  let failure: unknown
  const warn = atMostEvery(WARN_EVERY_MS, () =>
    needs.log.warn('the network interfaces cannot be read; those known before are used', { error: failure }),
  )
  onFailure = (error) => {
    failure = error
    warn()
  }
  if (os.networkInterfaces === networkInterfaces) return
  os.networkInterfaces = networkInterfaces
  syncBuiltinESMExports()
}
