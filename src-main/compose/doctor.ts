import type { Clock } from '../base/clock.js'
import type { Settings } from '../config/index.js'
import { createDoctor, type Doctor, type OpenFilesFact } from '../doctor/index.js'
import type { Log } from '../logging/index.js'
import type { NodeTable } from '../node-table/index.js'
import type { Bootstrapper } from '../p2p/bootstrap/index.js'
import type { Host } from '../p2p/index.js'
import type { ServiceRegistry } from '../services/index.js'

/** The doctor of a node, with what its settings asked for. */
export function composeDoctor(needs: {
  host: Host
  bootstrapper: Bootstrapper
  table: NodeTable
  registry: ServiceRegistry
  settings: Settings
  clock: Clock
  openFiles: () => OpenFilesFact
  log: Log
}): Doctor {
  const { settings } = needs
  return createDoctor(
    { ...needs, log: needs.log.forComponent('doctor') },
    {
      mode: settings.mode,
      dataDir: settings['data-dir'],
      publicAddr: settings['public-addr'],
      ports: { tcpport: settings.tcpport, wsport: settings.wsport, udpport: settings.udpport },
    },
  )
}
