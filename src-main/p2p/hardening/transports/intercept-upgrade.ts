// For libp2p 3.3.11: it has no hook between a raw connection and its upgrade, and its upgrader does not tell the muxer
// that an end which dialled takes the other part. Goes with the last change that needs it.

import type { MultiaddrConnection, StreamMuxerFactory, Transport, Upgrader } from '@libp2p/interface'
import type { Log } from '../../../logging/index.js'

/** What a tuning does to a raw connection before libp2p encrypts and multiplexes it. */
export interface ConnectionTuning {
  /** Changes the raw connection in place. */
  connection?(connection: MultiaddrConnection): void
  /** Another stream muxer for transports that bring their own (QUIC). */
  muxer?(factory: StreamMuxerFactory): StreamMuxerFactory
}

/** A transport module as `createLibp2p({ transports })` takes it. */
export type TransportFactory<C> = (components: C) => Transport

/**
 * A transport whose raw connections, dialled and accepted, pass through `tuning` on their way to the upgrader. Works on
 * one transport instance of one host: no prototype and nothing global is touched.
 */
export function tunedTransport<C>(factory: TransportFactory<C>, tuning: ConnectionTuning): TransportFactory<C> {
  return (components) => {
    const transport = factory(components)
    const dial = transport.dial.bind(transport)
    const createListener = transport.createListener.bind(transport)
    transport.dial = (address, options) =>
      dial(address, { ...options, upgrader: tunedUpgrader(options.upgrader, tuning) })
    transport.createListener = (options) =>
      createListener({ ...options, upgrader: tunedUpgrader(options.upgrader, tuning) })
    return transport
  }
}

function tunedUpgrader(upgrader: Upgrader, tuning: ConnectionTuning): Upgrader {
  const tune = <O extends { muxerFactory?: StreamMuxerFactory }>(connection: MultiaddrConnection, options: O): O => {
    tuning.connection?.(connection)
    const { muxerFactory } = options
    if (muxerFactory === undefined || tuning.muxer === undefined) return options
    return { ...options, muxerFactory: tuning.muxer(muxerFactory) }
  }
  return {
    upgradeOutbound: (connection: MultiaddrConnection, options: Parameters<Upgrader['upgradeOutbound']>[1]) => {
      // Of a connection that both ends dialled, one takes the other part; the library forgets to tell the muxer.
      if (options.initiator === false) Object.assign(connection, { direction: 'inbound' })
      return upgrader.upgradeOutbound(connection, tune(connection, options))
    },
    upgradeInbound: (connection: MultiaddrConnection, options: Parameters<Upgrader['upgradeInbound']>[1]) =>
      upgrader.upgradeInbound(connection, tune(connection, options)),
    createInboundAbortSignal: (signal) => upgrader.createInboundAbortSignal(signal),
    getStreamMuxers: () => upgrader.getStreamMuxers(),
    getConnectionEncrypters: () => upgrader.getConnectionEncrypters(),
  }
}

/** Says once per transport that its internals are not those a tuning was written for, so that it does nothing. */
export function createWarnOnce(needs: { log: Log }, options: { tuning: string }): () => void {
  let warned = false
  return () => {
    if (warned) return
    warned = true
    needs.log.warn('transport tuning does not fit this version of the library and is off', { tuning: options.tuning })
  }
}
