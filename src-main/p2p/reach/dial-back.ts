import type { Connection, PeerId, StreamMessageEvent } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { decodeDialResponse, encodeDial, type DialBackStatus } from './dial-back-message.js'

/** AutoNAT v1 as go-libp2p and js-libp2p speak it. */
export const DIAL_BACK_PROTOCOL = '/libp2p/autonat/1.0.0'

/** The other side may try for as long as a dial takes. */
const TIMEOUT_MS = 12_000
const MAX_ANSWER_BYTES = 8 * 1024

/**
 * Asks the peer at the other end of `connection` to dial `address` of this node, which has to have the IP address the
 * peer sees this node at. Throws when it could not be asked or does not answer within 12 s.
 */
export async function askToDialBack(
  connection: Connection,
  self: PeerId,
  address: Multiaddr,
  signal: AbortSignal,
): Promise<DialBackStatus> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
  const stream = await connection.newStream(DIAL_BACK_PROTOCOL, { signal: limited })
  const { promise, resolve, reject } = Promise.withResolvers<DialBackStatus>()
  // A refusal that comes before anyone waits is told by what follows.
  promise.catch(() => undefined)
  const received: Buffer[] = []
  stream.addEventListener('message', (event: StreamMessageEvent) => {
    received.push(Buffer.from(event.data.subarray()))
    const bytes = Buffer.concat(received)
    const status = decodeDialResponse(bytes)
    if (status !== undefined) resolve(status)
    else if (bytes.length > MAX_ANSWER_BYTES) reject(new Error('the answer is too long'))
  })
  stream.addEventListener('close', () => reject(new Error('the peer closed the stream without an answer')))
  const onAbort = (): void => reject(new Error('the peer did not answer in time'))
  limited.addEventListener('abort', onAbort, { once: true })
  try {
    stream.send(encodeDial({ id: self.toMultihash().bytes, addresses: [address.bytes] }))
    const status = await promise
    await stream.close({ signal: limited })
    return status
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error('dial back failed'))
    throw error
  } finally {
    limited.removeEventListener('abort', onAbort)
  }
}
