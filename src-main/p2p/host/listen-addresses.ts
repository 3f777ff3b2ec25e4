import { createSocket } from 'node:dgram'
import { createServer, isIPv6 } from 'node:net'
import { AppError } from '#shared/errors.js'
import { systemCodeIn } from '../../base/system-error.js'
import { explainListenError, findPortHolder, portInUseError } from '../../config/index.js'

/** The port settings a listening address comes from. */
export interface PortOptions {
  tcpPort: number
  wsPort: number
  udpPort: number
}

/** One multiaddr to listen on, and the setting its port comes from. */
export interface ListenAddress {
  multiaddr: string
  setting: 'tcpport' | 'wsport' | 'udpport'
  host: string
  port: number
}

/** TCP, WebSocket and QUIC on every host. */
export function listenAddresses(hosts: readonly string[], ports: PortOptions): ListenAddress[] {
  return hosts.flatMap((host) => {
    const ip = `/${isIPv6(host) ? 'ip6' : 'ip4'}/${host}`
    const { tcpPort, wsPort, udpPort } = ports
    return [
      { multiaddr: `${ip}/tcp/${tcpPort}`, setting: 'tcpport', host, port: tcpPort },
      { multiaddr: `${ip}/tcp/${wsPort}/ws`, setting: 'wsport', host, port: wsPort },
      { multiaddr: `${ip}/udp/${udpPort}/quic-v1`, setting: 'udpport', host, port: udpPort },
    ] satisfies ListenAddress[]
  })
}

/** The hosts of the list that this machine can bind: an IPv6 one is left out where there is no IPv6. */
export async function bindableHosts(hosts: readonly string[]): Promise<string[]> {
  const bindable = await Promise.all(hosts.map(async (host) => !isIPv6(host) || (await canBind(host))))
  return hosts.filter((_, index) => bindable[index])
}

/** The code of the error that listening gives; undefined when it works. */
export function bindError(transport: 'tcp' | 'udp', host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const fail = (error: NodeJS.ErrnoException): void => resolve(error.code ?? error.message)
    const ipv6Only = isIPv6(host)
    if (transport === 'tcp') {
      const server = createServer().once('error', fail)
      server.listen({ host, port, ipv6Only }, () => server.close(() => resolve(undefined)))
      return
    }
    const socket = createSocket({ type: ipv6Only ? 'udp6' : 'udp4', ipv6Only }).once('error', fail)
    socket.bind(port, host, () => socket.close(() => resolve(undefined)))
  })
}

/** A port for `host` that is free right now, of TCP or UDP. */
export async function freePort(kind: 'tcp' | 'udp', host: string): Promise<number> {
  return kind === 'tcp' ? freeTcpPort(host) : freeUdpPort(host)
}

async function canBind(host: string): Promise<boolean> {
  try {
    await freeTcpPort(host)
    return true
  } catch {
    return false
  }
}

function freeTcpPort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ host, port: 0, ipv6Only: isIPv6(host) }, () => {
      const address = server.address()
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new AppError('internal', 'No port was bound.'))
        else resolve(address.port)
      })
    })
  })
}

function freeUdpPort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', ipv6Only: isIPv6(host) })
    socket.once('error', reject)
    socket.bind(0, host, () => {
      const { port } = socket.address()
      socket.close(() => resolve(port))
    })
  })
}

/**
 * What a failed `libp2p.start()` means for the person: `port_in_use`, with the holder and the setting, when one of the
 * addresses is taken; `port_not_permitted` or `address_not_available` when one may not be used; otherwise the error as it
 * came.
 */
export async function listenError(error: unknown, addresses: readonly ListenAddress[]): Promise<unknown> {
  if (!(error instanceof Error)) return error
  const taken = takenAddress(error.message, addresses)
  if (taken !== undefined) {
    return portInUseError(taken.setting, taken.port, await findPortHolder(taken.port, transportOf(taken)))
  }
  const [refused] = failedAddresses(error.message, addresses)
  if (refused === undefined) return error
  const { address, words } = refused
  const at = { ...address, hostSetting: 'p2p-host', transport: transportOf(address) } as const
  const explained = await explainListenError(new Error(words), at)
  return explained instanceof AppError ? explained : error
}

/** The first of `addresses` that is in use, according to libp2p: it tells those that failed in its message only. */
export function takenAddress(message: string, addresses: readonly ListenAddress[]): ListenAddress | undefined {
  return failedAddresses(message, addresses).find(({ words }) => systemCodeIn(words) === 'EADDRINUSE')?.address
}

function failedAddresses(
  message: string,
  addresses: readonly ListenAddress[],
): { address: ListenAddress; words: string }[] {
  return message.split(/\n\s*(?=\/ip[46]\/)/).flatMap((part) => {
    const failed = part.slice(0, part.indexOf(': '))
    const address = addresses.find(({ multiaddr }) => multiaddr === failed)
    return address === undefined ? [] : [{ address, words: part }]
  })
}

const transportOf = ({ setting }: ListenAddress): 'tcp' | 'udp' => (setting === 'udpport' ? 'udp' : 'tcp')
