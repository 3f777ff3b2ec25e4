/** HTTP/1.1 on a libp2p stream, as go-libp2p-http speaks it. */
export const HTTP_PROTOCOL = '/libp2p-http'

/** Streams of this protocol per connection; js-libp2p's defaults (32 in, 64 out) fail at 32 concurrent requests. */
export const MAX_HTTP_STREAMS = 10_000

/** Node-side buffer of a stream before back-pressure sets in. */
export const HIGH_WATER_MARK_BYTES = 256 * 1024

/** Must not be below the muxer's window (4 MiB), or a paused stream is aborted while its window is still open. */
export const STREAM_READ_BUFFER_BYTES = 8 * 1024 * 1024

/** How long a stream whose writing end is closed waits for the other side's end. */
export const LINGER_MS = 2_000

/** A server keeps an idle stream this long; clients give up first ({@link CLIENT_KEEP_ALIVE_MS}) to avoid the race. */
export const SERVER_KEEP_ALIVE_MS = 65_000
export const CLIENT_KEEP_ALIVE_MS = 30_000

/** Concurrent streams (one request each) to one peer; below the QUIC stream limit. */
export const MAX_STREAMS_PER_PEER = 4_096
