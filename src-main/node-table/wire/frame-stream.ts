import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { decodeFrame, encodeFrame, FRAME_LENGTH_BYTES, MAX_FRAME_BYTES } from './sync-frames.js'
import type { SyncFrame } from './sync-frames.js'

/** A libp2p stream that speaks whole frames. Holds back no more than one frame's bytes of what comes in. */
export interface FrameStream {
  /** The next frame. `'closed'` when there is none any more, `'invalid'` for bytes that are no frame. */
  read(): Promise<SyncFrame | 'closed' | 'invalid'>
  /** `false` when the stream is closed. The protocol's turns keep the write buffer at one frame, or so. */
  write(frame: SyncFrame): boolean
  close(): Promise<void>
  abort(reason: string): void
}

/** Speaks frames over `stream`; `signal` ends it. */
export function createFrameStream(stream: Stream, signal: AbortSignal): FrameStream {
  const received = new Uint8ArrayList()
  let isEnded = false
  let isFlooded = false
  let wake: (() => void) | undefined

  const onMessage = ({ data }: StreamMessageEvent): void => {
    received.append(data)
    // The other side waits for its turn: more than a frame and its successor's head is no sync.
    isFlooded ||= received.byteLength > MAX_FRAME_BYTES + 1024
    if (isFlooded) stream.abort(new Error('more bytes than the sync protocol allows'))
    wake?.()
  }
  const onEnd = (): void => {
    isEnded = true
    wake?.()
  }
  const onAbort = (): void => stream.abort(new Error('the sync took too long'))
  stream.addEventListener('message', onMessage)
  stream.addEventListener('end', onEnd)
  stream.addEventListener('close', onEnd)
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })

  function takeFrame(): SyncFrame | 'invalid' | undefined {
    if (received.byteLength < FRAME_LENGTH_BYTES) return undefined
    const length = received.getUint32(0)
    if (length === 0 || length > MAX_FRAME_BYTES) return 'invalid'
    if (received.byteLength < FRAME_LENGTH_BYTES + length) return undefined
    const frame = decodeFrame(received.slice(FRAME_LENGTH_BYTES, FRAME_LENGTH_BYTES + length))
    received.consume(FRAME_LENGTH_BYTES + length)
    return frame ?? 'invalid'
  }

  return {
    async read() {
      for (;;) {
        if (isFlooded) return 'invalid'
        const frame = takeFrame()
        if (frame !== undefined) return frame
        if (isEnded || stream.readableEnded || stream.status !== 'open') return 'closed'
        await new Promise<void>((resolve) => (wake = resolve))
      }
    },
    write(frame) {
      if (stream.writeStatus !== 'writable') return false
      stream.send(encodeFrame(frame))
      return true
    },
    async close() {
      signal.removeEventListener('abort', onAbort)
      await stream.close({ signal: AbortSignal.timeout(5000) })
    },
    abort(reason) {
      signal.removeEventListener('abort', onAbort)
      stream.abort(new Error(reason))
    },
  }
}
