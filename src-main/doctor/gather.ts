import { AppError } from '#shared/errors.js'
import type { DoctorFacts } from './facts.js'
import type { DoctorNeeds, DoctorOptions } from './index.js'
import type { PortHolders } from './port-holders.js'

/** Reads everything the checks look at, as it is known now. @throws AppError `node_not_running` */
export function readFacts(
  { host, bootstrapper, table, registry, clock }: DoctorNeeds,
  options: DoctorOptions,
  ports: Pick<PortHolders, 'facts'>,
): DoctorFacts {
  const reach = host.reach?.()
  if (reach === undefined) throw new AppError('node_not_running', 'The network of this node is not started.')
  return {
    mode: options.mode,
    nowMs: clock.now(),
    publicAddr: options.publicAddr,
    reach,
    connections: host.connections(),
    bootstrap: bootstrapper.status(),
    knownPeers: table.size - (table.get(host.peerId) === undefined ? 0 : 1),
    clockAheadMs: table.health().clockAheadMs ?? undefined,
    ports: ports.facts(reach),
    isSharing: registry.list().some(({ published }) => published),
  }
}
