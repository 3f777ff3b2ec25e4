import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { BlockList, isIPv4 } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Log } from '../../../logging/index.js'
import { scopeOf } from '../../dial/ip-scope.js'
import { networkInterfaces } from '../../hardening/network-interfaces.js'
import type { GatewayProblem } from './gateway-problem.js'

/** An IPv4 address of this machine in a local network. */
export interface LanInterface {
  address: string
  /** With the length of its prefix: `192.168.1.2/24`. */
  cidr: string
}

/** Something answered that says it is a router. */
export interface SearchAnswer {
  host: string
  /** This machine's address in the network it answered from. */
  localAddress: string
  /** Where it describes itself, on its own host; or why that is not looked at. */
  found: { location: URL } | { problem: GatewayProblem }
}

/** How a search goes; the defaults are UPnP's. */
export interface GatewaySearchOptions {
  signal: AbortSignal
  interfaces?: readonly LanInterface[]
  target?: { host: string; port: number }
  /** Milliseconds between the questions, of which there are three, and after the last one. */
  pauseMs?: number
}

/** Routers of either generation, and those that only tell of the service. */
const WANTED = [
  'urn:schemas-upnp-org:device:InternetGatewayDevice:1',
  'urn:schemas-upnp-org:device:InternetGatewayDevice:2',
  'urn:schemas-upnp-org:service:WANIPConnection:1',
  'urn:schemas-upnp-org:service:WANPPPConnection:1',
]
const SSDP = { host: '239.255.255.250', port: 1900 }
const ROUNDS = 3
const PAUSE_MS = 1_500
const MAX_INTERFACES = 8
const MAX_ANSWERS = 16
const MAX_PACKET_BYTES = 4 * 1024

/** The networks a router may be in: not loopback, not link-local, not the internet. */
export function lanInterfaces(): LanInterface[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return all
    .flatMap(({ family, internal, address, cidr }) =>
      family === 'IPv4' &&
      !internal &&
      cidr !== null &&
      scopeOf(address) === 'private' &&
      !address.startsWith('169.254.')
        ? [{ address, cidr }]
        : [],
    )
    .slice(0, MAX_INTERFACES)
}

/**
 * Asks all local networks for routers (SSDP), from ports of its own: what others announce unasked is not listened to.
 * Each place where a router describes itself is reported once. Resolves after three questions, or when `signal` aborts.
 */
export async function searchGateways(
  needs: { log: Log; onAnswer: (answer: SearchAnswer) => void },
  options: GatewaySearchOptions,
): Promise<void> {
  const { signal, interfaces = lanInterfaces(), target = SSDP, pauseMs = PAUSE_MS } = options
  if (signal.aborted) return
  const seen = new Set<string>()
  const sockets = interfaces.map((lan) => openSocket(lan))
  const ask = (): void => {
    for (const socket of sockets) {
      for (const wanted of WANTED) socket.send(question(wanted), target.port, target.host)
    }
  }

  function openSocket(lan: LanInterface): SearchSocket {
    const socket = createSocket({ type: 'udp4' })
    let isOpen = true
    const close = (): void => {
      if (isOpen) socket.close()
      isOpen = false
    }
    const { promise: bound, resolve: endBinding } = Promise.withResolvers<undefined>()
    // An address that went away, a network that lets no multicast out: the others are asked all the same.
    socket.on('error', (error) => {
      needs.log.debug('a network cannot be searched for routers', { address: lan.address, error })
      close()
      endBinding(undefined)
    })
    socket.on('message', (packet, sender) => {
      const answer = readAnswer(packet, sender, lan)
      if (answer === undefined || seen.size >= MAX_ANSWERS) return
      const place = 'location' in answer.found ? answer.found.location.href : `? ${answer.host}`
      if (seen.has(place)) return
      seen.add(place)
      needs.onAnswer(answer)
    })
    socket.bind({ address: lan.address, port: 0 }, () => {
      tryMulticast(socket, lan)
      endBinding(undefined)
    })
    return {
      bound,
      close,
      send: (packet, port, host) => {
        if (isOpen) socket.send(packet, port, host)
      },
    }
  }

  function tryMulticast(socket: Socket, lan: LanInterface): void {
    try {
      socket.setMulticastInterface(lan.address)
      socket.setMulticastTTL(2)
    } catch (error) {
      needs.log.debug('a network takes no multicast', { address: lan.address, error })
    }
  }

  try {
    await Promise.all(sockets.map(({ bound }) => bound))
    signal.throwIfAborted()
    for (let round = 0; round < ROUNDS; round += 1) {
      ask()
      await pause(pauseMs, undefined, { signal, ref: false })
    }
  } catch (error) {
    if (!isAborted(signal)) throw error
  } finally {
    for (const socket of sockets) socket.close()
  }
}

interface SearchSocket {
  bound: Promise<unknown>
  send(packet: string, port: number, host: string): void
  close(): void
}

const question = (wanted: string): string =>
  [
    'M-SEARCH * HTTP/1.1',
    `HOST: ${SSDP.host}:${SSDP.port}`,
    'MAN: "ssdp:discover"',
    'MX: 1',
    `ST: ${wanted}`,
    '',
    '',
  ].join('\r\n')

/**
 * An answer to the question, from within the network it was asked in. Whatever it holds, it must not have this machine
 * call another one: a router describes itself on the address it answers from, by number and without encryption.
 */
export function readAnswer(
  packet: Buffer,
  sender: Pick<RemoteInfo, 'address'>,
  lan: LanInterface,
): SearchAnswer | undefined {
  if (packet.length > MAX_PACKET_BYTES || !isIn(lan, sender.address)) return undefined
  const [status = '', ...lines] = packet.toString('latin1').split(/\r?\n/)
  if (!/^HTTP\/1\.[01] 200\b/.test(status)) return undefined
  const header = (name: string): string => {
    const line = lines.find((text) => text.toLowerCase().startsWith(`${name}:`))
    return line?.slice(name.length + 1).trim() ?? ''
  }
  if (!/^urn:schemas-upnp-org:(device:InternetGatewayDevice|service:WAN(IP|PPP)Connection):\d+$/.test(header('st')))
    return undefined
  const answer = { host: sender.address, localAddress: lan.address }
  const text = header('location')
  const location = URL.canParse(text) ? new URL(text) : undefined
  if (location === undefined)
    return {
      ...answer,
      found: { problem: { kind: 'bad-answer', text: 'it does not say where it describes itself' } },
    }
  if (location.protocol === 'http:' && location.hostname === sender.address) return { ...answer, found: { location } }
  const where = `it says that it describes itself elsewhere, at ${location.origin.slice(0, 60)}`
  return { ...answer, found: { problem: { kind: 'bad-answer', text: where } } }
}

function isIn({ cidr }: LanInterface, address: string): boolean {
  const [net = '', bits = ''] = cidr.split('/')
  if (!isIPv4(address)) return false
  const subnet = new BlockList()
  subnet.addSubnet(net, Number(bits), 'ipv4')
  return subnet.check(address, 'ipv4')
}

/** Asked by a function, since the compiler takes what it saw before a pause for what is after it. */
const isAborted = (signal: AbortSignal): boolean => signal.aborted
