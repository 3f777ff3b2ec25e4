import type { IncomingMessage } from 'node:http'
import type { Connection } from '@libp2p/interface'
import { addressGroup } from '../dial/ip-scope.js'
import { StreamDuplex } from './stream-duplex.js'

/** A connection keeps its address: asked several times a request, and costly to take apart. */
const sources = new WeakMap<Connection, string>()

/** What a request of the peer listener counts as one source with; see {@link addressGroup}. Empty for any other request. */
export function requestSource({ socket }: Pick<IncomingMessage, 'socket'>): string {
  if (!(socket instanceof StreamDuplex)) return ''
  const { connection } = socket
  let source = sources.get(connection)
  if (source === undefined) {
    source = addressGroup(connection.remoteAddr.toString())
    sources.set(connection, source)
  }
  return source
}
