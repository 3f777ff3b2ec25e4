import type { Origins, Settings } from '../config/index.js'
import { bindableHosts, bindError, freePort } from '../p2p/index.js'

/** A default port that another program has, and the free one that is used instead. */
export interface MovedPort {
  setting: PortSetting
  from: number
  to: number
}

type PortSetting = 'port' | 'api-port' | 'tcpport' | 'wsport' | 'udpport'

/** The settings with ports that can be listened on now, and what was changed for that. */
export interface FreePorts {
  settings: Settings
  origins: Origins
  moved: MovedPort[]
}

/**
 * Replaces default ports that are in use by free ones; ports that were given stay, in use or not. The default of
 * `wsport` follows a `tcpport` of 0.
 */
export async function withFreePorts(given: { settings: Settings; origins: Origins }): Promise<FreePorts> {
  const settings = { ...given.settings }
  const origins = { ...given.origins }
  const moved: MovedPort[] = []
  const isDefault = (setting: PortSetting): boolean => origins[setting].kind === 'default'
  if (isDefault('wsport') && settings.tcpport === 0) settings.wsport = 0

  const peerHosts = await bindableHosts(settings['p2p-host'])
  const listeners: [PortSetting, 'tcp' | 'udp', readonly string[]][] = [
    // On ::1 as well, where that is free too.
    ['port', 'tcp', [settings.host === 'localhost' ? '127.0.0.1' : settings.host]],
    ['api-port', 'tcp', ['127.0.0.1']],
    ['tcpport', 'tcp', peerHosts],
    ['wsport', 'tcp', peerHosts],
    ['udpport', 'udp', peerHosts],
  ]
  for (const [setting, transport, hosts] of listeners) {
    const from = settings[setting]
    if (from === 0 || !isDefault(setting) || !(await isInUse(transport, hosts, from))) continue
    const to = await freePort(transport, hosts[0] ?? '127.0.0.1')
    settings[setting] = to
    origins[setting] = { kind: 'default', label: `default ${from} is in use` }
    moved.push({ setting, from, to })
  }
  return { settings, origins, moved }
}

/** Whether it is taken on one of the hosts. Other reasons that nobody can listen there are the listener's to tell. */
async function isInUse(transport: 'tcp' | 'udp', hosts: readonly string[], port: number): Promise<boolean> {
  const errors = await Promise.all(hosts.map((host) => bindError(transport, host, port)))
  return errors.includes('EADDRINUSE')
}
