import type { Check } from '#shared/contract/node/doctor.js'
import { counted, momentText, sizeText } from '#shared/figures.js'
import { type GatewayProblem, hostOf, type ReachFacts, relayOf, scopeOf } from '../p2p/index.js'
import { fine, finding } from './check.js'
import type { DoctorFacts } from './facts.js'

/** The addresses this node listens on. */
export function checkListening({ reach, mode }: DoctorFacts): Check {
  const id = 'listening'
  if (reach.listening.length === 0) {
    return finding(id, 'bad', {
      fact: 'This node is not listening on any address.',
      meaning: 'No one can open a connection to it.',
      fix: 'Check `p2p-host`, `tcpport`, `wsport` and `udpport` in the settings.',
      brief: 'this node listens nowhere',
    })
  }
  const fact = `This node listens on ${counted(reach.listening.length, 'address', 'addresses')}: ${shortList(reach.listening)}.`
  if (reach.listening.every((address) => scopeOf(hostOf(address)) === 'loopback')) {
    const wanted = mode !== 'node'
    return finding(id, wanted ? 'unknown' : 'warn', {
      fact,
      meaning: 'Only programs of this machine can reach it.',
      fix: wanted ? '' : 'Set `p2p-host` to `0.0.0.0,::` to be reachable by other machines.',
    })
  }
  return fine(id, fact, 'Other machines of this network can reach it there.')
}

/** Whether others managed to dial this node. */
export function checkReachable(facts: DoctorFacts): Check {
  const { reach, connections } = facts
  const id = 'reachable'
  if (!reach.isWide)
    return finding(id, 'unknown', {
      fact: 'Reachability from the internet is not checked.',
      meaning: 'These settings keep this node to this machine or to the peers it dials.',
    })
  const { addresses, publicIps } = reach.seen
  const reached = addresses.filter(({ result }) => result === 'reachable')
  if (reached.length > 0) {
    const fact = `Peers reached this node at ${shortList(reached.map(({ address }) => address))}.`
    return fine(id, fact, 'Anyone can open a direct connection to it.')
  }
  const inbound = connections.filter(
    ({ direction, path, multiaddr }) =>
      direction === 'inbound' && path !== 'relayed' && scopeOf(hostOf(multiaddr)) === 'public',
  )
  if (inbound.length > 0) {
    return fine(
      id,
      `${counted(inbound.length, 'peer')} from the internet opened a connection to it.`,
      'It can be reached directly.',
    )
  }
  const dialled = addresses.filter(({ result }) => result === 'unreachable')
  if (dialled.length > 0) {
    return finding(id, unreachable(facts), {
      fact: `Peers dialled ${shortList(dialled.map(({ address }) => address))} and did not get through.`,
      meaning:
        reach.relays.length > 0
          ? 'Others reach it through a relay, which is slower.'
          : 'Only peers on the same local network can reach it.',
      fix: openPortFix(reach.listening),
      brief: 'peers cannot open a connection to it',
    })
  }
  return finding(id, 'unknown', {
    fact:
      publicIps.length === 0
        ? 'No peer has reported a public address of this node yet.'
        : 'No peer could dial this node for a test yet.',
    meaning: 'Whether the internet can reach it is not known.',
    fix: connections.length === 0 ? 'Connect to a peer first: see the bootstrap sources.' : '',
  })
}

/** How bad it is that peers can't dial this node: no one looks for a node that shares nothing, and relays help the rest. */
function unreachable({ reach, publicAddr, isSharing }: DoctorFacts): 'bad' | 'warn' {
  if (publicAddr !== '') return 'bad'
  return isSharing && reach.relays.length === 0 ? 'bad' : 'warn'
}

/** What the router did. */
export function checkRouter({ reach, publicAddr }: DoctorFacts): Check {
  const id = 'upnp'
  const { state, gateways } = reach.portMapping
  if (state === 'off')
    return finding(id, 'unknown', {
      fact: 'The router is not asked to open ports (UPnP).',
      meaning: 'UPnP is off or not used in this mode.',
    })
  if (state === 'unneeded')
    return finding(id, 'unknown', {
      fact: 'The router is not asked to open ports (UPnP): this node does not listen on a local network.',
      meaning: 'No router has to open a port.',
    })
  if (state === 'searching')
    return finding(id, 'unknown', {
      fact: 'Searching for a router that can open ports.',
      meaning: 'Ask again in a few seconds.',
    })
  if (state === 'none') {
    return finding(id, isReached(reach) ? 'unknown' : 'warn', {
      fact: 'No router answered (UPnP).',
      meaning: 'There is none, or it does not let programs open ports.',
      fix: 'Switch UPnP on in the router, or forward the TCP port by hand.',
    })
  }
  const useful = gateways.filter(({ mappings, problem }) => mappings.length > 0 && !isMisled(problem))
  if (useful.length > 0) {
    const fact = `The router opened ${shortList(useful.flatMap(({ mappings }) => mappings))}.`
    const rest = useful.find(({ problem }) => problem !== undefined)?.problem
    return fine(id, rest === undefined ? fact : `${fact} But ${rest.text}.`, 'Programs may open ports here.')
  }
  const useless = gateways.find(({ problem }) => problem !== undefined)
  if (useless?.problem === undefined) return fine(id, 'A router answered.', 'Programs may open ports here.')
  const { host, problem } = useless
  const fact = `The router ${host} answered, but ${problem.text}.`
  if (problem.kind === 'refused' && publicAddr !== '')
    return finding(id, 'unknown', {
      fact,
      meaning: 'A manual rule, made by hand for public-addr, probably holds that port.',
    })
  return finding(id, isReached(reach) ? 'unknown' : 'warn', { fact, ...ADVICE[problem.kind] })
}

/** Ports opened by a router without a public address lead nowhere. */
const isMisled = (problem: GatewayProblem | undefined): boolean =>
  problem?.kind === 'private-address' || problem?.kind === 'bad-address'

const isReached = (reach: ReachFacts): boolean => reach.seen.addresses.some(({ result }) => result === 'reachable')

const ADVICE: Record<GatewayProblem['kind'], { meaning: string; fix: string }> = {
  'private-address': {
    meaning: 'The ports it opens do not lead here from the internet.',
    fix: 'Forward the TCP port on the outer router, or rely on a relay. If your provider shares one address among customers (CGNAT), only a relay helps.',
  },
  'bad-address': {
    meaning: 'The ports it opens do not lead here from the internet.',
    fix: "Check the router's status page, or restart it.",
  },
  'no-answer': {
    meaning: 'It announces UPnP but does not answer.',
    fix: 'Restart the router, or forward the TCP port by hand.',
  },
  'bad-answer': {
    meaning: 'It does not follow UPnP, so its answers are not trusted.',
    fix: 'Forward the TCP port by hand. If that machine is not your router, find out what it is.',
  },
  refused: {
    meaning: 'The router refuses to open that port.',
    fix: 'Allow UPnP in the router, or forward the TCP port by hand.',
  },
}

/** The kind of address translation between this node and the internet. */
export function checkNat({ reach }: DoctorFacts): Check {
  const id = 'nat'
  const ips = reach.seen.publicIps.join(', ')
  switch (reach.seen.natKind) {
    case 'none':
      return fine(
        id,
        `This machine has the public address ${ips} itself: no NAT.`,
        'There is no address translation in between.',
      )
    case 'one-port':
      return fine(
        id,
        `Peers see it at ${ips}, always from the same port: a friendly NAT.`,
        'With the help of a relay, hole punching can make connections direct.',
      )
    case 'port-per-peer':
      return finding(id, 'warn', {
        fact: `Peers see it at ${ips}, each from another port: a symmetric NAT.`,
        meaning: 'Hole punching does not work through such a router.',
        fix: 'Open a port in the router, or rely on a relay.',
      })
    case 'unknown':
      return finding(id, 'unknown', {
        fact: ips === '' ? 'The router type (NAT) is unknown.' : `Peers see it at ${ips}.`,
        meaning: 'There are not enough internet peers to determine the router type.',
      })
  }
}

/** A guess at what blocks peers, from all of the above. */
export function checkFirewall(facts: DoctorFacts): Check {
  const { reach, connections } = facts
  const id = 'firewall'
  const { addresses, natKind } = reach.seen
  if (addresses.some(({ result }) => result === 'reachable'))
    return fine(id, 'Peers that dial this node get through.', 'There is no firewall in the way.')
  const blocked = addresses.some(({ result }) => result === 'unreachable')
  if (blocked && natKind === 'none') {
    return finding(id, unreachable(facts), {
      fact: 'This machine has a public address, but peers do not get through.',
      meaning: 'A firewall, on this machine or at its provider, probably drops incoming connections.',
      fix: openPortFix(reach.listening),
    })
  }
  if (connections.length > 0 && !connections.some(({ path }) => path === 'direct-quic') && connections.length >= 5) {
    return finding(id, 'unknown', {
      fact: 'No connection runs over QUIC.',
      meaning: 'UDP may be blocked; TCP does the work.',
    })
  }
  return finding(id, 'unknown', {
    fact: 'There is no sign of a firewall.',
    meaning: 'This is certain only once a peer dials this node.',
  })
}

/** Reservations at relays, and what this node relays itself. */
export function checkRelays({ reach, connections }: DoctorFacts): Check {
  const id = 'relays'
  const { relayServer: own } = reach
  if (own.serving) {
    const used = `${sizeText(own.usedBytes)} of ${sizeText(own.hourlyBytes)} this hour`
    return fine(
      id,
      `This node relays for ${own.reservations} of at most ${own.maxReservations} peers, ${used}.`,
      'It needs no relay itself.',
    )
  }
  const budgets = connections.flatMap(({ relayBudget }) =>
    relayBudget?.bytes === undefined ? [] : [sizeText(relayBudget.bytes)],
  )
  if (reach.relays.length > 0) {
    const left = budgets.length === 0 ? '' : ` Data left on open circuits: ${budgets.join(', ')}.`
    const relays = reach.relays.map(({ peerId, untilMs }) =>
      untilMs === undefined ? peerId : `${peerId} (renews at ${momentText(untilMs, Date.now())})`,
    )
    return fine(
      id,
      `Reachable through ${counted(reach.relays.length, 'relay')}: ${shortList(relays)}.${left}`,
      'Peers that cannot connect directly use a relay.',
    )
  }
  const direct = reach.seen.addresses.some(({ result }) => result === 'reachable') || !reach.isWide
  return finding(id, direct ? 'unknown' : 'warn', {
    fact: 'This node has no reservation at a relay.',
    meaning: direct ? 'It needs none.' : 'Peers outside the local network cannot reach it.',
    fix: direct ? '' : 'Connect to a public node that relays; a node with `public-addr` does.',
  })
}

function openPortFix(listening: readonly string[]): string {
  const tcp = listening.find((address) => /\/tcp\/\d+$/.test(address.replace(/\/p2p\/.*$/, '')))
  const port = tcp === undefined ? 'the TCP port' : `TCP port ${/\/tcp\/(\d+)/.exec(tcp)?.[1] ?? ''}`
  return `Forward ${port} to this machine in the router, and let it through the firewall; then give its address as \`public-addr\`.`
}

function shortList(all: readonly string[]): string {
  const short = [...new Set(all)].map((text) =>
    relayOf(text) === undefined ? text.replace(/\/p2p\/[^/]+$/, '') : text,
  )
  return short.length <= 3 ? short.join(', ') : `${short.slice(0, 3).join(', ')} and ${short.length - 3} more`
}
