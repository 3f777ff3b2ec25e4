import { formatAgo, formatExact } from '../../strings/format.js'
import { useNow } from './use-now.js'

/** A time relative to now; the exact one on hover. */
export function TimeAgo({ atMs }: { atMs: number }) {
  return <time title={formatExact(atMs)}>{formatAgo(atMs, useNow())}</time>
}
