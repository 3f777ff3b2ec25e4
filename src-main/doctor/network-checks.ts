import type { Check } from '#shared/contract/doctor.js'
import { counted, fine, finding } from './check.js'
import type { DoctorFacts } from './facts.js'

/** A clock that is off by this much makes the network refuse this node's row; half of it is worth a word. */
const BAD_CLOCK_MS = 60_000
const POOR_CLOCK_MS = 10_000

/** Peers and how they are connected. */
export function checkPeers({ connections, knownPeers, mode }: DoctorFacts): Check {
  const id = 'peers'
  const peers = new Set(connections.map(({ peerId }) => peerId))
  const relayed = [...peers].filter((peerId) =>
    connections.every((c) => c.peerId !== peerId || c.path === 'relayed'),
  ).length
  if (peers.size === 0) {
    return finding(id, mode === 'standalone' ? 'unknown' : 'bad', {
      fact: `No peer is connected, ${knownPeers} known.`,
      meaning:
        mode === 'standalone'
          ? 'A standalone node meets nobody by itself.'
          : 'Models of others cannot be used, nor yours by them.',
      fix: mode === 'standalone' ? '' : 'Give a bootstrap source that answers, such as the address of a node you know.',
    })
  }
  const fact = `${counted(peers.size, 'peer')} connected (${relayed} through relays), ${knownPeers} known.`
  return fine(id, fact, relayed === peers.size ? 'All of them through relays.' : 'The network can be used.')
}

/** One check a source, so that each tells its own result. */
export function checkBootstrap({
  bootstrap,
  mode,
  connections,
}: Pick<DoctorFacts, 'bootstrap' | 'mode' | 'connections'>): Check[] {
  if (mode === 'standalone') return []
  if (bootstrap.length === 0) {
    return [
      finding('bootstrap', connections.length > 0 ? 'unknown' : 'bad', {
        fact: 'There is no bootstrap source.',
        meaning:
          connections.length > 0 ? 'Peers were found without one.' : 'This node does not know where to look for peers.',
        fix: connections.length > 0 ? '' : 'Give one with --bootstrap.sources or --bootstrap.addr.',
      }),
    ]
  }
  return bootstrap.map(({ source, setting, state, addresses, reason }) => {
    const id = `bootstrap:${source}`
    const why = reason === undefined ? '' : `: ${reason}`
    switch (state) {
      case 'ok':
        return fine(
          id,
          `${source} (${setting}) told ${counted(addresses, 'address', 'addresses')}${why}.`,
          'Peers are found through it.',
        )
      case 'waiting':
        return finding(id, 'unknown', {
          fact: `${source} (${setting}) was not asked yet.`,
          meaning: 'Sources are asked while no peer is connected.',
        })
      case 'failed':
        return finding(id, connections.length > 0 ? 'warn' : 'bad', {
          fact: `${source} (${setting}) failed${why}.`,
          meaning: 'Nothing was learnt from it; it is asked again later.',
          fix: 'Check that its node runs and that the address is right.',
        })
      case 'bad':
        return finding(id, 'warn', {
          fact: `"${source}" (${setting}) cannot be used${why}.`,
          meaning: 'It is never asked.',
          fix: 'Correct it: an http(s) URL, dnsaddr://host or a multiaddr like /ip4/203.0.113.7/tcp/43905.',
        })
    }
  })
}

/** The distributed hash tables. */
export function checkDht({ reach, connections, mode }: DoctorFacts): Check {
  const id = 'dht'
  if (reach.dht.length === 0)
    return finding(id, 'unknown', { fact: 'There is no DHT in this mode.', meaning: 'Peers are not looked up.' })
  const fact = reach.dht.map(({ name, mode: role, peers }) => `${name}: ${role}, ${counted(peers, 'peer')}`).join('; ')
  const total = reach.dht.reduce((sum, { peers }) => sum + peers, 0)
  if (total === 0 && connections.length > 0 && mode === 'node') {
    return finding(id, 'warn', {
      fact: `${fact}.`,
      meaning: 'Peers that are not connected cannot be looked up yet.',
      fix: 'Wait a little; it fills as peers connect.',
    })
  }
  return total === 0
    ? finding(id, 'unknown', { fact: `${fact}.`, meaning: 'It fills as peers connect.' })
    : fine(id, `${fact}.`, 'Addresses of peers can be looked up.')
}

/** This machine's clock against those of the peers. */
export function checkClock({ clockAheadMs }: DoctorFacts): Check {
  const id = 'clock'
  if (clockAheadMs === undefined)
    return finding(id, 'unknown', {
      fact: 'No peer told its time yet.',
      meaning: 'Whether this clock is right is not known.',
    })
  return clockCheck(clockAheadMs, 'those of the peers')
}

/** The verdict on a clock that is `aheadMs` ahead of `others`. */
export function clockCheck(aheadMs: number, others: string): Check {
  const id = 'clock'
  const off = Math.abs(aheadMs)
  const fact = `This clock is ${(off / 1000).toFixed(1)} s ${aheadMs < 0 ? 'behind' : 'ahead of'} ${others}.`
  const fix = 'Let the system set the clock by itself (NTP).'
  if (off >= BAD_CLOCK_MS)
    return finding(id, 'bad', { fact, meaning: 'Peers refuse what this node says about itself.', fix })
  if (off >= POOR_CLOCK_MS)
    return finding(id, 'warn', { fact, meaning: 'A little more, and peers refuse what this node says.', fix })
  return fine(id, fact, 'Close enough.')
}

/** Who has the ports of the settings. */
export function checkPorts({ ports }: DoctorFacts): Check[] {
  return ports.map(({ setting, port, listening, holder }) => {
    const id = `port:${setting}`
    if (listening)
      return fine(
        id,
        port === 0 ? `A free port is used for ${setting}.` : `Port ${port} (${setting}) is this node's.`,
        'It is listened on.',
      )
    return finding(id, 'warn', {
      fact:
        holder === undefined
          ? `Port ${port} (${setting}) is not listened on.`
          : `Port ${port} (${setting}) is used by ${holder}.`,
      meaning: 'Peers cannot come in there.',
      fix: holder === undefined ? '' : `Stop it, or choose another port with --${setting}.`,
    })
  })
}
