import type { Check } from '#shared/contract/node/doctor.js'
import { counted, durationText } from '#shared/figures.js'
import { PATH_WORDS } from '#shared/path-order.js'
import { ANOTHER_PEER } from '../p2p/bootstrap/index.js'
import { hostOf, scopeOf } from '../p2p/index.js'
import { fine, finding } from './check.js'
import type { PeerFacts } from './gather-peer.js'

/** What HTTP between peers needs. */
const HTTP_PROTOCOL = '/libp2p-http'

/** Where the path to a peer breaks, from its known addresses to its answer. */
export function checkPeer(facts: PeerFacts): Check[] {
  if (facts.isSelf) return [fine('self', 'That is this node.', 'There is no path to test.')]
  return [checkKnown(facts), ...checkDials(facts), checkConnected(facts), checkProtocol(facts), checkHealth(facts)]
}

function checkKnown({ known, inTable }: PeerFacts): Check {
  const id = 'known'
  const row = inTable ? 'It is in the node table' : 'It is not in the node table'
  if (known.length > 0)
    return fine(
      id,
      `${row}, and ${counted(known.length, 'address', 'addresses')} are known.`,
      'There is something to dial.',
    )
  return finding(id, 'bad', {
    fact: `${row}, and no address is known.`,
    meaning: inTable
      ? 'Others have seen it, but no one reported its address.'
      : 'No peer this node knows has heard of it.',
    fix: inTable
      ? 'Wait until it is found in the DHT, or give its address as `bootstrap.addr`.'
      : 'Check the peer id; give its address as `bootstrap.addr`.',
  })
}

/** Once a route works, those that lead nowhere are one line; a peer's own loopback never leads there from elsewhere. */
function checkDials({ dials, connections }: PeerFacts): Check[] {
  if (connections.length === 0) return dials.map(checkDial)
  const works = dials.filter(({ error }) => error === undefined || isAnotherPeer(error))
  const broken = dials.filter((dial) => !works.includes(dial) && scopeOf(hostOf(dial.address)) !== 'loopback')
  if (broken.length === 0) return works.map(checkDial)
  const routes = broken.map(({ address, error }) => `${address} (${error ?? ''})`).join('; ')
  const fact = `${counted(broken.length, 'other route does', 'other routes do')} not work from here: ${routes}.`
  return [...works.map(checkDial), fine('other-routes', fact, 'One route that works is enough.')]
}

function checkDial({ address, ms, error }: PeerFacts['dials'][number]): Check {
  const id = `address:${address}`
  if (error === undefined) {
    const fact = ms === 0 ? `${address} is already in use.` : `${address} answered in ${durationText(ms)}.`
    return fine(id, fact, 'This route works.')
  }
  return finding(id, 'warn', {
    fact: `${address} did not work after ${durationText(ms)}: ${error}.`,
    meaning: meaningOf(error),
    fix: '',
  })
}

const isAnotherPeer = (error: string): boolean =>
  /identity key|Dialed peer|peer id/i.test(error) || error === ANOTHER_PEER

/** What the commonest failures of a dial mean. */
function meaningOf(error: string): string {
  if (/ECONNREFUSED/.test(error)) return 'The machine is there, but nothing listens on that port.'
  if (/ENETUNREACH|EHOSTUNREACH/.test(error)) return 'There is no route there from this machine.'
  if (isAnotherPeer(error)) return 'Another node answers at that address: its peer id is a different one.'
  if (/NO_RESERVATION/.test(error)) return 'The relay has no reservation of the peer (any more).'
  if (/time|abort/i.test(error))
    return 'Nothing answered: the peer is off, or a firewall or router in between drops incoming connections.'
  return 'This route does not work.'
}

function checkConnected({ connections }: PeerFacts): Check {
  const id = 'connected'
  const [best] = connections.toSorted((a, b) => Number(a.path === 'relayed') - Number(b.path === 'relayed'))
  if (best === undefined) {
    return finding(id, 'bad', {
      fact: 'No connection could be opened.',
      meaning: 'None of the routes above works.',
      fix: 'Ask its owner whether it is running and what its own doctor says.',
    })
  }
  const rtt = best.rttMs === undefined ? '' : `, round trip ${durationText(best.rttMs)}`
  if (best.path !== 'relayed')
    return fine(id, `Connected: ${PATH_WORDS[best.path]}${rtt}.`, 'The direct route is open.')
  return finding(id, 'warn', {
    fact: `Connected through the relay ${best.relayPeerId ?? 'of the network'}${rtt}.`,
    meaning: 'It works, but is slower and lasts as long as the relay allows.',
    fix: 'Opening a port at either end makes it direct.',
  })
}

function checkProtocol({ protocols, connections }: PeerFacts): Check {
  const id = 'protocol'
  if (connections.length === 0)
    return finding(id, 'unknown', { fact: 'Its protocols are unknown.', meaning: 'Peers list them over a connection.' })
  if (protocols.includes(HTTP_PROTOCOL)) return fine(id, `It speaks ${HTTP_PROTOCOL}.`, 'Requests can be sent to it.')
  return finding(id, 'bad', {
    fact: `It does not speak ${HTTP_PROTOCOL}.`,
    meaning: 'It is not a node of this kind, or a much older version.',
    fix: 'Ask its owner to update it.',
  })
}

function checkHealth({ health }: PeerFacts): Check {
  const id = 'health'
  if (health === undefined)
    return finding(id, 'unknown', { fact: 'It was not asked for its health.', meaning: 'That takes a connection.' })
  if (health.ok)
    return fine(id, `It answered a request in ${durationText(health.ms)}: ${health.detail}.`, 'Everything works.')
  return finding(id, 'bad', {
    fact: `It did not answer a request: ${health.detail}.`,
    meaning: 'The connection is there, but its node does not do its work.',
    fix: 'Ask its owner to check its log.',
  })
}
