import type { PathKind } from '#shared/contract/network/peers.js'
import { strings } from '../../strings.js'
import { Badge, type Tone } from './badge.js'

const TONES: Readonly<Record<PathKind, Tone>> = {
  'direct-quic': 'good',
  'direct-tcp': 'good',
  'direct-ws': 'good',
  'hole-punched': 'cool',
  relayed: 'warn',
}

/** How a connection runs, in the same words and colours everywhere. */
export function PathBadge({ path, title }: { path: PathKind; title?: string }) {
  return (
    <Badge tone={TONES[path]} title={title}>
      {strings.network.path[path]}
    </Badge>
  )
}
