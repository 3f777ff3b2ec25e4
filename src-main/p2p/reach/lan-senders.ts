import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { encode, type Packet } from 'dns-packet'
import { networkInterfaces } from '../hardening/network-interfaces.js'

/** Where multicast DNS is sent to (RFC 6762, section 3). */
const GROUP = '224.0.0.251'
const PORT = 5353

/** Networks of a machine that are told; containers and virtual machines have one each. */
const MAX_NETWORKS = 16

/**
 * Sends multicast DNS into the networks of this machine that the system leaves out: it takes the one of its default
 * route, which may be a VPN, and none where there is no such route. Nothing is received here.
 */
export class LanSenders {
  readonly #sockets = new Map<string, Socket>()
  #isClosed = false

  /** Sends a packet into each of those networks. One that has just gone is left out. */
  async send(packet: Packet): Promise<void> {
    const usual = await sourceAddress()
    if (this.#isClosed) return
    const others = ownAddresses().filter((address) => address !== usual)
    for (const [address, socket] of this.#sockets) {
      if (others.includes(address)) continue
      this.#sockets.delete(address)
      socket.close()
    }
    const bytes = encode(packet)
    for (const address of others) this.#socketOf(address).send(bytes, PORT, GROUP)
  }

  /** Nothing is sent afterwards. */
  close(): void {
    this.#isClosed = true
    for (const socket of this.#sockets.values()) socket.close()
    this.#sockets.clear()
  }

  #socketOf(address: string): Socket {
    const known = this.#sockets.get(address)
    if (known !== undefined) return known
    const socket = createSocket('udp4')
    const drop = (): void => {
      if (this.#sockets.get(address) !== socket) return
      this.#sockets.delete(address)
      socket.close()
    }
    socket.on('error', drop)
    // A port that is free: the one of multicast DNS is shared with the system, which may wait for answers there.
    socket.bind(0, '0.0.0.0', () => {
      try {
        socket.setMulticastTTL(255)
        socket.setMulticastInterface(address)
      } catch {
        // The network has gone in the meantime.
        drop()
      }
    })
    socket.unref()
    this.#sockets.set(address, socket)
    return socket
  }
}

/** The address that the system sends to the group from; undefined where it has no way there. Sends nothing. */
async function sourceAddress(): Promise<string | undefined> {
  const socket = createSocket('udp4')
  try {
    socket.connect(PORT, GROUP)
    await once(socket, 'connect')
    return socket.address().address
  } catch {
    return undefined
  } finally {
    socket.close()
  }
}

/** The first IPv4 address of each network of this machine. */
function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((list = []) => list.filter(({ family, internal }) => family === 'IPv4' && !internal).slice(0, 1))
    .slice(0, MAX_NETWORKS)
    .map(({ address }) => address)
}
