import type { Connection } from '@libp2p/interface'
import { Frames } from '../frames.js'
import {
  type Answer,
  type Exchange,
  EXCHANGE_WITHIN_MS,
  hashesOf,
  helloOf,
  INVITE_PROTOCOL,
  MAX_FRAME_BYTES,
  newNonce,
  proofOf,
  readAnswer,
  readChallenge,
} from './message.js'

/** What the inviter said; `unsupported`: its program has no invites; `broken-off`: nothing that can be understood came. */
export type GuestResult = { answer: Answer; name: string } | { answer: 'unsupported' | 'broken-off' }

/**
 * Shows over a connection to the inviter that this node knows the secret, without sending it, and has the inviter show
 * the same. Never rejects.
 */
export async function presentInvite(
  connection: Connection,
  facts: { self: string; secret: Uint8Array; name: string },
  signal: AbortSignal,
): Promise<GuestResult> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(EXCHANGE_WITHIN_MS)])
  try {
    const stream = await connection.newStream(INVITE_PROTOCOL, { signal: limited, runOnLimitedConnection: true })
    const onAbort = (): void => stream.abort(new Error('it took too long'))
    limited.addEventListener('abort', onAbort, { once: true })
    try {
      const result = await talk(new Frames(stream, MAX_FRAME_BYTES), connection.remotePeer.toString(), facts)
      await stream.close({ signal: limited }).catch(() => undefined) // The answer is there.
      return result
    } finally {
      limited.removeEventListener('abort', onAbort)
      if (stream.status === 'open') stream.abort(new Error('done'))
    }
  } catch (error) {
    const isUnsupported = error instanceof Error && error.name === 'UnsupportedProtocolError'
    return { answer: isUnsupported ? 'unsupported' : 'broken-off' }
  }
}

async function talk(
  frames: Frames,
  inviter: string,
  { self, secret, name }: { self: string; secret: Uint8Array; name: string },
): Promise<GuestResult> {
  const { id, key } = hashesOf(secret)
  const guestNonce = newNonce()
  frames.send(helloOf(id, guestNonce))
  const first = await frames.next()
  const inviterNonce = readChallenge(first)
  // Where too many attempts came, the answer is there at once.
  if (inviterNonce === undefined) return readAnswer(first, undefined, key) ?? { answer: 'broken-off' }
  const exchange: Exchange = { ...{ id: Buffer.from(id, 'hex'), guest: self, inviter }, guestNonce, inviterNonce }
  frames.send(proofOf(exchange, key, name))
  return readAnswer(await frames.next(), exchange, key) ?? { answer: 'broken-off' }
}
