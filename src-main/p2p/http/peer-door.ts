import http from 'node:http'
import type { Connection, Stream } from '@libp2p/interface'
import type { Service } from '../../lifecycle.js'
import type { Log } from '../../logging/index.js'
import type { Host } from '../index.js'
import { tuneStream } from '../transport-tuning/index.js'
import { HTTP_PROTOCOL, MAX_HTTP_STREAMS, SERVER_KEEP_ALIVE_MS } from './constants.js'
import { StreamDuplex } from './stream-duplex.js'

/** Headers a peer may send in one request. */
const MAX_HEADER_BYTES = 32 * 1024

/**
 * Serves HTTP/1.1 to other peers on libp2p streams. The handler finds the caller's peer id, proven by the secure
 * channel, in `req.socket.remoteAddress`.
 */
export function createPeerDoor(needs: { host: Host; handler: http.RequestListener; log: Log }): Service {
  const log = needs.log.forComponent('peer-door')
  const open = new Set<StreamDuplex>()
  const server = http.createServer(
    {
      keepAliveTimeout: SERVER_KEEP_ALIVE_MS,
      headersTimeout: 60_000,
      // Bodies may stream for as long as they move; the forwarder ends idle ones.
      requestTimeout: 0,
      maxHeaderSize: MAX_HEADER_BYTES,
      sendDate: false,
    } as http.ServerOptions,
    needs.handler,
  )
  server.on('clientError', (error, socket) => {
    log.debug('a peer sent something that is not HTTP', { error })
    socket.destroy()
  })

  const accept = (stream: Stream, connection: Connection): void => {
    tuneStream(stream)
    const socket = new StreamDuplex(stream, connection)
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    server.emit('connection', socket)
  }

  return {
    name: 'peer-door',
    async start() {
      await needs.host.libp2p.handle(HTTP_PROTOCOL, accept, {
        maxInboundStreams: MAX_HTTP_STREAMS,
        maxOutboundStreams: MAX_HTTP_STREAMS,
        runOnLimitedConnection: true,
      })
    },
    async stop() {
      await needs.host.libp2p.unhandle(HTTP_PROTOCOL)
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}
