import type { IncomingMessage } from 'node:http'
import { addressGroup } from '../dial/ip-scope.js'
import { StreamDuplex } from './stream-duplex.js'

/** What a request of the peer listener counts as one source with; see {@link addressGroup}. Empty for any other request. */
export function requestSource({ socket }: Pick<IncomingMessage, 'socket'>): string {
  return socket instanceof StreamDuplex ? addressGroup(socket.connection.remoteAddr.toString()) : ''
}
