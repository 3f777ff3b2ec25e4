import type { Check } from '#shared/contract/node/doctor.js'
import { NO_PEERS_YET } from '#shared/contract/node/node.js'
import { counted, durationText } from '#shared/figures.js'
import { ANOTHER_PEER } from '../p2p/bootstrap/index.js'
import { fine, finding } from './check.js'
import type { DoctorFacts } from './facts.js'

/** A clock that is off by this much makes the network refuse this node's row; half of it is worth a word. */
const BAD_CLOCK_MS = 60_000
const POOR_CLOCK_MS = 10_000

/** Peers and how they are connected. */
export function checkPeers(facts: DoctorFacts): Check {
  const { connections, knownPeers } = facts
  const id = 'peers'
  const peers = new Set(connections.map(({ peerId }) => peerId))
  const relayed = [...peers].filter((peerId) =>
    connections.every((c) => c.peerId !== peerId || c.path === 'relayed'),
  ).length
  if (peers.size === 0) return checkAlone(facts)
  const how = relayed === 0 ? 'directly' : relayed === peers.size ? 'through relays' : `${relayed} through relays`
  const fact = `${counted(peers.size, 'peer')} connected, ${how}; ${knownPeers} known.`
  return fine(id, fact, 'The network can be used.')
}

function checkAlone({ bootstrap, knownPeers, mode }: DoctorFacts): Check {
  const id = 'peers'
  const fact = `No peer is connected, ${knownPeers} known`
  if (mode === 'standalone')
    return finding(id, 'unknown', { fact: `${fact}.`, meaning: 'A standalone node connects to no one.' })
  if (bootstrap.some(({ state }) => state === 'waiting'))
    return finding(id, 'unknown', { fact: `${fact}.`, meaning: 'The bootstrap sources are being asked.' })
  const brief = whyAlone({ bootstrap, mode })
  return finding(id, 'bad', {
    fact: `${fact}: ${brief}.`,
    meaning: 'You can’t use the models of others, nor they yours.',
    fix:
      mode === 'local'
        ? 'Start another node of your own on this computer: `ocf start --data-dir <folder>`.'
        : NO_PEERS_YET,
    brief,
  })
}

/** Why a node that wants peers has none, in a few words. */
function whyAlone({ bootstrap, mode }: Pick<DoctorFacts, 'bootstrap' | 'mode'>): string {
  if (mode === 'local') return 'no other node runs on this computer'
  if (bootstrap.length === 0) return 'there is no bootstrap source'
  if (bootstrap.every(({ state }) => state === 'bad')) return 'no bootstrap source can be used'
  if (bootstrap.some(({ state }) => state === 'ok')) return 'the peers named by bootstrap sources do not answer'
  return 'no bootstrap source leads to a peer'
}

/** One check per source, so each has its own result. */
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
        brief: 'there is no bootstrap source',
        fix: connections.length > 0 ? '' : 'Give one: `bootstrap.sources` takes a URL, `bootstrap.addr` an address.',
      }),
    ]
  }
  return bootstrap.map(({ source, setting, state, addresses, reason }) => {
    const id = `bootstrap:${source}`
    const why = reason === undefined ? '' : `: ${reason}`
    switch (state) {
      case 'ok':
        if (reason?.includes(ANOTHER_PEER) === true)
          return finding(id, 'warn', {
            fact: `${source} (${setting}) lists a wrong address${why}.`,
            meaning: 'Another peer answers there; the other addresses are used.',
            fix: 'Tell the owner of that source.',
          })
        if (isAddress(source))
          return fine(id, `${source} (${setting}) answered the last dial${why}.`, 'Peers are found through it.')
        return fine(
          id,
          `${source} (${setting}) listed ${counted(addresses, 'address', 'addresses')}${why}.`,
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
          meaning: 'It led to no peer; it is asked again while no peer is connected.',
          fix:
            reason === ANOTHER_PEER
              ? 'Correct the peer id at the end of the address, or leave it out.'
              : 'Check that its node runs and that the address is right.',
        })
      case 'bad':
        return finding(id, 'warn', {
          fact: `"${source}" (${setting}) cannot be used${why}.`,
          meaning: 'It is never asked.',
          fix: 'Correct it: an http(s) URL, `dnsaddr://host` or a multiaddr like `/ip4/203.0.113.7/tcp/43905`.',
        })
    }
  })
}

const DHT_NAMES = { wan: 'internet', lan: 'local network' } as const

/** A multiaddr is its own only answer. */
const isAddress = (source: string): boolean => source.startsWith('/') && !source.startsWith('/dnsaddr/')

/** The distributed hash tables. */
export function checkDht({ reach, connections, mode }: DoctorFacts): Check {
  const id = 'dht'
  if (reach.dht.length === 0)
    return finding(id, 'unknown', {
      fact: 'This mode uses no DHT.',
      meaning: 'Peers are not looked up.',
    })
  const tables = reach.dht.map(
    ({ name, mode: role, peers }) => `${DHT_NAMES[name]} (${counted(peers, 'peer')}, as a ${role})`,
  )
  const fact = `Peer lookup (DHT): ${tables.join('; ')}`
  const total = reach.dht.reduce((sum, { peers }) => sum + peers, 0)
  if (total === 0 && connections.length > 0 && mode === 'node') {
    return finding(id, 'warn', {
      fact: `${fact}.`,
      meaning: 'Peers that are not connected can’t be looked up yet.',
      fix: 'Wait a little; it fills as peers connect.',
    })
  }
  return total === 0
    ? finding(id, 'unknown', { fact: `${fact}.`, meaning: 'It fills as peers connect.' })
    : fine(id, `${fact}.`, 'Peers can be looked up.')
}

/** That this node is the only one with its key; nothing to say where it is, as far as is known. */
export function checkIdentity({ isUsedElsewhere }: Pick<DoctorFacts, 'isUsedElsewhere'>): Check[] {
  if (!isUsedElsewhere) return []
  return [
    finding('identity', 'bad', {
      fact: 'Another machine uses this node’s identity, or did within the last 15 minutes.',
      meaning: 'Peers take both for one node: what they send reaches either of the two.',
      fix: 'Stop one of them. To run both, start one with a new data folder: it gets its own identity, and needs new invites.',
      brief: 'another machine uses this node’s identity',
    }),
  ]
}

/** This machine's clock against those of the peers. */
export function checkClock({ clockAheadMs, isClockWrong }: DoctorFacts): Check {
  const id = 'clock'
  if (clockAheadMs === undefined)
    return finding(id, 'unknown', {
      fact: 'No peer has reported its time yet.',
      meaning: 'It is unknown whether this clock is right.',
    })
  if (Math.abs(clockAheadMs) < BAD_CLOCK_MS || isClockWrong) return clockCheck(clockAheadMs, 'those of the peers')
  return finding(id, 'warn', {
    fact: `This clock is ${aheadOrBehind(clockAheadMs)} those of the few peers that reported their time.`,
    meaning: 'Theirs may be the wrong ones: it takes peers at three addresses to tell.',
    fix: 'Compare this clock with another one, and let the system set it automatically (NTP).',
  })
}

/** The verdict on a clock that is `aheadMs` ahead of `others`. */
export function clockCheck(aheadMs: number, others: string): Check {
  const id = 'clock'
  const off = Math.abs(aheadMs)
  if (off < 1_000) return fine(id, `This clock and ${others} differ by less than a second.`, 'Close enough.')
  const fact = `This clock is ${aheadOrBehind(aheadMs)} ${others}.`
  const fix = 'Let the system set the clock automatically (NTP).'
  if (off >= BAD_CLOCK_MS)
    return finding(id, 'bad', {
      fact,
      meaning: 'Peers refuse what this node says about itself.',
      fix,
      brief: `the clock is ${durationText(off)} ${aheadMs < 0 ? 'behind' : 'ahead'}`,
    })
  if (off >= POOR_CLOCK_MS)
    return finding(id, 'warn', { fact, meaning: 'If it drifts further, peers refuse what this node says.', fix })
  return fine(id, fact, 'Close enough.')
}

const aheadOrBehind = (aheadMs: number): string =>
  `${durationText(Math.abs(aheadMs))} ${aheadMs < 0 ? 'behind' : 'ahead of'}`

/** Who holds the ports of the settings. */
export function checkPorts({ ports }: DoctorFacts): Check[] {
  return ports.map(({ setting, port, listening, holder }) => {
    const id = `port:${setting}`
    if (listening)
      return fine(
        id,
        port === 0
          ? `A free port is used for ${setting}.`
          : `Port ${port} (${setting}) is open and in use by this node.`,
        'The node listens there.',
      )
    return finding(id, 'warn', {
      fact:
        holder === undefined
          ? `Port ${port} (${setting}) is not in use by this node.`
          : `Port ${port} (${setting}) is used by ${holder}.`,
      meaning: 'Peers can’t connect to it.',
      fix: holder === undefined ? '' : `Stop it, or choose another port with --${setting}.`,
    })
  })
}
