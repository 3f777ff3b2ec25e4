import type { Duplex } from 'node:stream'
import { NOT_A_MEMBER, type SwapRemoveMember } from '../base/swap-remove-set.js'
import { ConnectionLostError } from './errors.js'
import { Exchange, type Outgoing } from './exchange.js'

/** Hands out connections. */
export interface ConnectionOwner {
  /** It can take the next request. */
  onFree(connection: HttpConnection): void
  /** Its socket is of another protocol from now on; {@link ConnectionOwner.onClosed} follows. */
  onGivenAway(socket: Duplex): void
  /** It takes none any more: closed, or given away. */
  onClosed(connection: HttpConnection): void
}

/** One connection, with one request at a time. */
export class HttpConnection implements SwapRemoveMember {
  /** In the owner's bag. */
  setIndex = NOT_A_MEMBER
  /** When it became free, ms of `performance.now()`. */
  freeSince = 0
  /** How long the other side keeps it when it is free, where it says so. */
  keepAliveMs: number | undefined
  readonly socket: Duplex
  readonly #owner: ConnectionOwner
  #current: Exchange | undefined
  #hasServed = false
  #isGone = false

  constructor(socket: Duplex, owner: ConnectionOwner) {
    this.socket = socket
    this.#owner = owner
    socket.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onClose)
  }

  get isUsable(): boolean {
    const socket = this.socket
    // Unread bytes would be an answer that was never asked for.
    return !this.#isGone && socket.readable && socket.writable && socket.readableLength === 0
  }

  get isBusy(): boolean {
    return this.#current !== undefined
  }

  /** Only while it is usable and not busy. Never throws. */
  send(outgoing: Outgoing): void {
    const exchange = new Exchange(this, this.socket, outgoing, this.#hasServed)
    this.#current = exchange
    exchange.start()
  }

  /** Ends it; a request under way fails with `error`. */
  destroy(error: Error = new ConnectionLostError(false)): void {
    const exchange = this.#current
    if (exchange === undefined) this.socket.destroy()
    else exchange.abort(error)
  }

  /** The exchange is over; with `keep` the next one may come. */
  release(exchange: Exchange, keep: boolean): void {
    if (this.#current !== exchange) return
    this.#current = undefined
    if (!keep || !this.isUsable) {
      this.socket.destroy()
      return
    }
    this.#hasServed = true
    this.freeSince = performance.now()
    this.#owner.onFree(this)
  }

  /** The socket belongs to the caller from now on. */
  giveAway(exchange: Exchange): Duplex {
    const socket = this.socket
    if (this.#current === exchange) this.#current = undefined
    socket.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError).off('close', this.#onClose)
    this.#owner.onGivenAway(socket)
    this.#leave()
    return socket
  }

  #leave(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#owner.onClosed(this)
  }

  readonly #onData = (chunk: Buffer): void => {
    // Nothing was asked for.
    if (this.#current === undefined) this.socket.destroy()
    else this.#current.onData(chunk)
  }

  readonly #onEnd = (): void => {
    this.#current?.onEnd()
    this.socket.destroy()
  }

  readonly #onError = (error: Error): void => {
    this.#current?.onLost(error)
  }

  readonly #onClose = (): void => {
    this.#current?.onLost(undefined)
    this.#leave()
  }
}
