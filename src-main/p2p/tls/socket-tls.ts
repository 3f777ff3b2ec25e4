import type { Duplex } from 'node:stream'
import {
  connect,
  type ConnectionOptions,
  createSecureContext,
  type SecureContext,
  TLSSocket,
  type TLSSocketOptions,
} from 'node:tls'
import {
  type ConnectionEncrypter,
  InvalidCryptoExchangeError,
  type MessageStream,
  type PrivateKey,
  type SecureConnectionOptions,
  type SecuredConnection,
  type StreamMuxerFactory,
  type Upgrader,
} from '@libp2p/interface'
import type { Log } from '../../logging/index.js'
import { createTlsIdentity, peerOfCertificate } from './certificate.js'
import { closeBehind, ConnectionSocket } from './connection-socket.js'
import { closeSecured, hasRawSocket, takeOver } from './raw-socket.js'
import { SecuredStream } from './secured-stream.js'

/** libp2p's TLS 1.3, as the Go implementation speaks it. */
const TLS_PROTOCOL = '/tls/1.0.0'

/** Says that no multiplexer was agreed on with the handshake. */
const NO_MUXER = 'libp2p'
/** Bytes that may wait for the socket before the multiplexer is held back: four of its batches. */
const HIGH_WATER_MARK_BYTES = 256 * 1024

/** Node takes it, and its types do not tell. */
interface StreamOptions {
  highWaterMark: number
}

/** What libp2p makes an encrypter with. */
interface Components {
  upgrader: Upgrader
}

/**
 * TLS, in native code down to the socket of a connection over TCP, and on the stream of any other. Undefined, with a
 * warning, where the system's library does not make it: then there is noise.
 */
export async function createTls(
  needs: { log: Log },
  privateKey: PrivateKey,
): Promise<((components: Components) => ConnectionEncrypter) | undefined> {
  try {
    const context = createSecureContext({
      ...(await createTlsIdentity(privateKey, Date.now())),
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
    })
    return (components) => new SocketTls(context, components)
  } catch (error) {
    needs.log.warn('TLS is not available here; connections use noise', { error })
    return undefined
  }
}

class SocketTls implements ConnectionEncrypter {
  readonly protocol = TLS_PROTOCOL
  readonly #context: SecureContext
  /** The upgrader is made after what it encrypts with. */
  readonly #components: Components

  constructor(context: SecureContext, components: Components) {
    this.#context = context
    this.#components = components
  }

  secureOutbound(stream: MessageStream, options: SecureConnectionOptions = {}): Promise<SecuredConnection> {
    const muxers = options.skipStreamMuxerNegotiation === true ? [] : this.#muxers.keys()
    const words: ConnectionOptions & StreamOptions = {
      secureContext: this.#context,
      // Whose certificate it is, is looked at when the handshake is over.
      rejectUnauthorized: false,
      ALPNProtocols: [...muxers, NO_MUXER],
      highWaterMark: HIGH_WATER_MARK_BYTES,
    }
    return this.#secure(stream, options, (socket) => connect({ ...words, socket }))
  }

  secureInbound(stream: MessageStream, options: SecureConnectionOptions = {}): Promise<SecuredConnection> {
    const words: TLSSocketOptions & StreamOptions = {
      isServer: true,
      secureContext: this.#context,
      requestCert: true,
      rejectUnauthorized: false,
      // A list and no callback: nothing of this program runs inside the library's reading.
      ALPNProtocols: [...this.#muxers.keys(), NO_MUXER],
      highWaterMark: HIGH_WATER_MARK_BYTES,
    }
    return this.#secure(stream, options, (socket) => new TLSSocket(socket, words))
  }

  get #muxers(): Map<string, StreamMuxerFactory> {
    return this.#components.upgrader.getStreamMuxers()
  }

  async #secure(
    stream: MessageStream,
    { signal, remotePeer }: SecureConnectionOptions,
    over: (socket: Duplex) => TLSSocket,
  ): Promise<SecuredConnection> {
    signal?.throwIfAborted()
    const secured = over(hasRawSocket(stream) ? takeOver(stream) : new ConnectionSocket(stream))
    // Heard while nobody else listens, too: an error nobody hears ends the program.
    secured.on('error', () => undefined)
    try {
      await handshake(secured, signal)
      const certificate = secured.getPeerX509Certificate()
      if (certificate === undefined) throw new InvalidCryptoExchangeError('The other end shows no certificate.')
      const peerId = await peerOfCertificate(certificate, remotePeer, Date.now())
      signal?.throwIfAborted()
      if (secured.destroyed || stream.status !== 'open')
        throw new InvalidCryptoExchangeError('The connection has ended.')
      if (hasRawSocket(stream)) closeSecured(stream, secured)
      else closeBehind(stream, secured)
      const { alpnProtocol } = secured
      const streamMuxer = typeof alpnProtocol === 'string' ? this.#muxers.get(alpnProtocol) : undefined
      return {
        remotePeer: peerId,
        connection: new SecuredStream(stream, secured),
        ...(streamMuxer === undefined ? {} : { streamMuxer }),
      }
    } catch (error) {
      secured.destroy()
      throw error
    }
  }
}

function handshake(secured: TLSSocket, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown): void => {
      signal?.removeEventListener('abort', onAbort)
      secured.off('secure', onSecure).off('error', settle).off('close', onClose)
      if (error === undefined) resolve()
      else reject(error instanceof Error ? error : new Error('TLS failed', { cause: error }))
    }
    const onAbort = (): void => settle(signal?.reason)
    // Told from inside the library's reading: who ended the connection there would take its memory away below it, and the
    // program would crash (Node 24.21).
    const onSecure = (): void => void setImmediate(settle)
    const onClose = (): void => settle(new InvalidCryptoExchangeError('The connection ended in the handshake.'))
    signal?.addEventListener('abort', onAbort)
    secured.once('secure', onSecure).once('error', settle).once('close', onClose)
  })
}
