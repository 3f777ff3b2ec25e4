import { AppError } from '#shared/errors.js'
import { findPortHolder } from '../config/port-holder.js'
import type { DoctorFacts, PortFact } from './facts.js'
import type { DoctorNeeds, DoctorOptions } from './index.js'

/** Peers are asked to dial this node for at most this long. */
const ASK_MS = 15_000

/** Reads everything the checks look at; asks peers to dial this node first. */
export async function gatherFacts(needs: DoctorNeeds, options: DoctorOptions): Promise<DoctorFacts> {
  const { host, bootstrapper, table, clock, log } = needs
  try {
    await host.askReach?.(AbortSignal.timeout(ASK_MS))
  } catch (error) {
    log.debug('peers could not be asked to dial this node', { error })
  }
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
    ports: await Promise.all(
      (['tcpport', 'wsport', 'udpport'] as const).map((setting) =>
        portFact(setting, options.ports[setting], reach.listening, reach.privateNetwork),
      ),
    ).then((facts) => facts.filter((fact) => fact !== undefined)),
  }
}

async function portFact(
  setting: PortFact['setting'],
  port: number,
  listening: readonly string[],
  privateNetwork: boolean,
): Promise<PortFact | undefined> {
  // QUIC is off in a private network.
  if (setting === 'udpport' && privateNetwork) return undefined
  const transport = setting === 'udpport' ? 'udp' : 'tcp'
  const isOurs = listening.some((address) => {
    const parts = address.split('/')
    const isWs = parts.includes('ws')
    return parts[3] === transport && isWs === (setting === 'wsport') && (port === 0 || parts[4] === String(port))
  })
  if (isOurs) return { setting, port, listening: true, holder: undefined }
  const holder = port === 0 ? undefined : await findPortHolder(port, transport)
  const isOther = holder !== undefined && holder.pid !== process.pid
  return { setting, port, listening: false, holder: isOther ? `${holder.program} (pid ${holder.pid})` : undefined }
}
