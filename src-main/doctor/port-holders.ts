import { findPortHolder } from '../config/port-holder.js'
import type { ReachFacts } from '../p2p/index.js'
import type { PortFact } from './facts.js'

/** Who has the ports of the settings. */
export interface PortHolders {
  /** As far as it is known: a port this node does not listen on has no holder before it was looked for. */
  facts(reach: Pick<ReachFacts, 'listening' | 'privateNetwork'>): PortFact[]
  /** Looks who has the ports this node does not listen on; not again within half a minute. */
  look(reach: Pick<ReachFacts, 'listening' | 'privateNetwork'>): Promise<void>
}

const SETTINGS = ['tcpport', 'wsport', 'udpport'] as const
const LOOK_EVERY_MS = 30_000

/** Ports as they were asked for; 0 is any free one. */
export function createPortHolders(ports: Readonly<Record<PortFact['setting'], number>>): PortHolders {
  const holders = new Map<PortFact['setting'], string>()
  let lookedAtMs = Number.NEGATIVE_INFINITY

  // QUIC is off in a private network.
  const wanted = (privateNetwork: boolean): PortFact['setting'][] =>
    SETTINGS.filter((setting) => setting !== 'udpport' || !privateNetwork)

  return {
    facts: ({ listening, privateNetwork }) =>
      wanted(privateNetwork).map((setting) => {
        const isOurs = isListenedOn(setting, ports[setting], listening)
        return { setting, port: ports[setting], listening: isOurs, holder: isOurs ? undefined : holders.get(setting) }
      }),
    async look({ listening, privateNetwork }) {
      if (performance.now() - lookedAtMs < LOOK_EVERY_MS) return
      lookedAtMs = performance.now()
      for (const setting of wanted(privateNetwork)) {
        const port = ports[setting]
        if (port === 0 || isListenedOn(setting, port, listening)) continue
        const holder = await findPortHolder(port, transportOf(setting))
        const isOther = holder !== undefined && holder.pid !== process.pid
        if (isOther) holders.set(setting, `${holder.program} (pid ${holder.pid})`)
        else holders.delete(setting)
      }
    },
  }
}

const transportOf = (setting: PortFact['setting']): 'tcp' | 'udp' => (setting === 'udpport' ? 'udp' : 'tcp')

function isListenedOn(setting: PortFact['setting'], port: number, listening: readonly string[]): boolean {
  return listening.some((address) => {
    const parts = address.split('/')
    const isWs = parts.includes('ws')
    return (
      parts[3] === transportOf(setting) && isWs === (setting === 'wsport') && (port === 0 || parts[4] === String(port))
    )
  })
}
