import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'

/**
 * Reads a short message from a stream: `take` gets what has come so far and says `undefined` while more has to come.
 * Resolves `undefined` when the stream ends first or more than `maxBytes` come. Never rejects.
 */
export function readShort<T>(
  stream: Stream,
  maxBytes: number,
  take: (bytes: Uint8Array) => T | undefined,
): Promise<T | undefined> {
  return new Promise((resolve) => {
    const received = new Uint8ArrayList()
    const settle = (value: T | undefined): void => {
      stream.removeEventListener('message', onMessage)
      stream.removeEventListener('end', onEnd)
      stream.removeEventListener('close', onEnd)
      resolve(value)
    }
    const onMessage = ({ data }: StreamMessageEvent): void => {
      received.append(data)
      if (received.byteLength > maxBytes) {
        settle(undefined)
        return
      }
      const value = take(received.subarray())
      if (value !== undefined) settle(value)
    }
    const onEnd = (): void => settle(undefined)
    stream.addEventListener('message', onMessage)
    stream.addEventListener('end', onEnd)
    stream.addEventListener('close', onEnd)
    if (stream.status !== 'open') onEnd()
  })
}
