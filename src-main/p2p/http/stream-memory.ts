import type { Stream } from '@libp2p/interface'
import type { StreamDuplex } from './stream-duplex.js'

/** Bounds what all streams of a listener hold in memory together. */
export interface StreamMemory {
  /** Counts a stream until it closes; `holder` is whose bytes they are. */
  watch(holder: string, stream: Stream, socket: StreamDuplex): void
  stop(): void
}

/** How often the bytes are counted, in ms: what comes in meanwhile is above the limit, at most a line's worth of it. */
const COUNT_EVERY_MS = 250
/** So few streams stay below any limit: none buffers more than its window and two high water marks. */
const FEW_STREAMS = 16

interface Held {
  holder: string
  stream: Stream
  socket: StreamDuplex
}

/**
 * What a peer sends faster than a local server reads, and what it asks for and does not read, waits here: up to some
 * megabytes a stream. Above `maxBytes`, who holds most loses their fullest streams.
 */
export function createStreamMemory(options: { maxBytes: number; onCut?: (holder: string) => void }): StreamMemory {
  const open = new Set<Held>()
  let timer: NodeJS.Timeout | undefined

  function count(): void {
    const holders = new Map<string, { bytes: number; streams: { held: Held; bytes: number }[] }>()
    let total = 0
    for (const held of open) {
      const bytes = bytesOf(held)
      if (bytes === 0) continue
      total += bytes
      const own = holders.get(held.holder) ?? { bytes: 0, streams: [] }
      own.bytes += bytes
      own.streams.push({ held, bytes })
      holders.set(held.holder, own)
    }
    while (total > options.maxBytes) {
      const [name, most] = [...holders].reduce((a, b) => (b[1].bytes > a[1].bytes ? b : a))
      const fullest = most.streams.reduce((a, b) => (b.bytes > a.bytes ? b : a))
      most.streams.splice(most.streams.indexOf(fullest), 1)
      most.bytes -= fullest.bytes
      total -= fullest.bytes
      options.onCut?.(name)
      fullest.held.socket.destroy(new Error('too much waits for this peer'))
    }
  }

  return {
    watch(holder, stream, socket) {
      const held = { holder, stream, socket }
      open.add(held)
      socket.once('close', () => {
        open.delete(held)
        if (open.size >= FEW_STREAMS) return
        clearInterval(timer)
        timer = undefined
      })
      if (open.size >= FEW_STREAMS) timer ??= setInterval(count, COUNT_EVERY_MS).unref()
    },
    stop() {
      clearInterval(timer)
      timer = undefined
    },
  }
}

const bytesOf = ({ stream, socket }: Held): number =>
  socket.readableLength + socket.writableLength + stream.readBufferLength + stream.writeBufferLength
