import { findPortHolder, portInUseError } from '../../config/index.js'
import type { ListenAddress } from './listen-addresses.js'

/**
 * What a failed `libp2p.start()` means for the person: `port_in_use`, with the holder and the setting, when one of the
 * addresses is taken; otherwise the error as it came.
 */
export async function listenError(error: unknown, addresses: readonly ListenAddress[]): Promise<unknown> {
  const taken = error instanceof Error ? takenAddress(error.message, addresses) : undefined
  if (taken === undefined) return error
  const transport = taken.setting === 'udpport' ? 'udp' : 'tcp'
  return portInUseError(taken.setting, taken.port, await findPortHolder(taken.port, transport))
}

/** The first of `addresses` that is in use, according to libp2p: it tells those that failed in its message only. */
export function takenAddress(message: string, addresses: readonly ListenAddress[]): ListenAddress | undefined {
  for (const part of message.split(/\n\s*(?=\/ip[46]\/)/)) {
    if (!/EADDRINUSE|address already in use|only one usage of each socket address/i.test(part)) continue
    const failed = part.slice(0, part.indexOf(': '))
    const address = addresses.find((candidate) => candidate.multiaddr === failed)
    if (address !== undefined) return address
  }
  return undefined
}
