import type { Check } from '#shared/contract/doctor.js'
import { ANOTHER_PEER } from '../p2p/bootstrap/failure-words.js'
import { counted, fine, finding } from './check.js'
import type { PeerFacts } from './gather-peer.js'

/** What HTTP between peers needs. */
const HTTP_PROTOCOL = '/libp2p-http'

/** Where the way to a peer breaks, from what is known of it to its answer. */
export function checkPeer(facts: PeerFacts): Check[] {
  if (facts.isSelf) return [fine('self', 'That is this node.', 'There is no way to look for.')]
  return [
    checkKnown(facts),
    ...facts.dials.map(checkDial),
    checkConnected(facts),
    checkProtocol(facts),
    checkHealth(facts),
  ]
}

function checkKnown({ known, inTable }: PeerFacts): Check {
  const id = 'known'
  const row = inTable ? 'It is in the node table' : 'It is not in the node table'
  if (known.length > 0)
    return fine(
      id,
      `${row}, and ${counted(known.length, 'address', 'addresses')} of it are known.`,
      'There is something to try.',
    )
  return finding(id, 'bad', {
    fact: `${row}, and no address of it is known.`,
    meaning: inTable
      ? 'It was seen by others, but none of them told where it is.'
      : 'Nobody this node knows has heard of it.',
    fix: inTable
      ? 'Wait until it is found in the DHT, or give its address as `bootstrap.addr`.'
      : 'Check the peer id; give its address as `bootstrap.addr`.',
  })
}

function checkDial({ address, ms, error }: PeerFacts['dials'][number]): Check {
  const id = `address:${address}`
  if (error === undefined) {
    const fact = ms === 0 ? `${address} is in use already.` : `${address} answered in ${Math.round(ms)} ms.`
    return fine(id, fact, 'This way works.')
  }
  return finding(id, 'warn', {
    fact: `${address} did not work after ${Math.round(ms)} ms: ${error}.`,
    meaning: meaningOf(error),
    fix: '',
  })
}

/** What the commonest failures of a dial mean. */
function meaningOf(error: string): string {
  if (/ECONNREFUSED/.test(error)) return 'The machine is there, but nothing listens on that port.'
  if (/ENETUNREACH|EHOSTUNREACH/.test(error)) return 'There is no route there from this machine.'
  if (/identity key|Dialed peer|peer id/i.test(error) || error === ANOTHER_PEER)
    return 'Another node answers at that address: its peer id is a different one.'
  if (/NO_RESERVATION/.test(error)) return 'The relay does not know the peer (any more).'
  if (/time|abort/i.test(error))
    return 'Nothing answered: the peer is off, or a firewall or router in between drops what comes in.'
  return 'This way does not work.'
}

function checkConnected({ connections }: PeerFacts): Check {
  const id = 'connected'
  const [best] = connections.toSorted((a, b) => Number(a.path === 'relayed') - Number(b.path === 'relayed'))
  if (best === undefined) {
    return finding(id, 'bad', {
      fact: 'No connection could be opened.',
      meaning: 'None of the ways above works.',
      fix: 'Ask its owner whether it runs and what its own doctor says.',
    })
  }
  const rtt = best.rttMs === undefined ? '' : `, round trip ${best.rttMs.toFixed(1)} ms`
  if (best.path !== 'relayed') return fine(id, `Connected: ${best.path}${rtt}.`, 'The direct way is open.')
  return finding(id, 'warn', {
    fact: `Connected through the relay ${best.relayPeerId ?? 'of the network'}${rtt}.`,
    meaning: 'It works, but is slower and lasts as long as the relay allows.',
    fix: 'Opening a port at either end makes it direct.',
  })
}

function checkProtocol({ protocols, connections }: PeerFacts): Check {
  const id = 'protocol'
  if (connections.length === 0)
    return finding(id, 'unknown', { fact: 'What it speaks is not known.', meaning: 'That is told over a connection.' })
  if (protocols.includes(HTTP_PROTOCOL)) return fine(id, `It speaks ${HTTP_PROTOCOL}.`, 'Requests can be sent to it.')
  return finding(id, 'bad', {
    fact: `It does not speak ${HTTP_PROTOCOL}.`,
    meaning: 'It is no node of this kind, or a far older one.',
    fix: 'Ask its owner to update it.',
  })
}

function checkHealth({ health }: PeerFacts): Check {
  const id = 'health'
  if (health === undefined)
    return finding(id, 'unknown', { fact: 'It was not asked for its health.', meaning: 'That takes a connection.' })
  if (health.ok)
    return fine(id, `It answered a request in ${Math.round(health.ms)} ms: ${health.detail}.`, 'Everything works.')
  return finding(id, 'bad', {
    fact: `It did not answer a request: ${health.detail}.`,
    meaning: 'The connection is there, but its node does not do its work.',
    fix: 'Ask its owner to look at its log.',
  })
}
