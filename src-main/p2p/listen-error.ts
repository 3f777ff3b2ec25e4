import { AppError } from '#shared/errors.js'
import type { ListenAddress } from './listen-addresses.js'

/**
 * What a failed `libp2p.start()` means for the person: `port_in_use` when one of the addresses is taken, otherwise the
 * error as it came. libp2p tells the addresses that failed in its message only, one after the other.
 */
export function listenError(error: unknown, addresses: readonly ListenAddress[]): unknown {
  if (!(error instanceof Error)) return error
  const taken = takenAddress(error.message, addresses)
  if (taken === undefined) return error
  return new AppError(
    'port_in_use',
    `Port ${taken.port} on ${taken.host} is in use by another program. Stop that program, or pass another port ` +
      `with --${taken.setting} (0 takes any free one).`,
    { cause: error, param: taken.setting },
  )
}

/** The first of `addresses` whose part of libp2p's message says that it is in use. */
export function takenAddress(message: string, addresses: readonly ListenAddress[]): ListenAddress | undefined {
  for (const part of message.split(/\n\s*(?=\/ip[46]\/)/)) {
    if (!/EADDRINUSE|address already in use|address in use|only one usage of each socket address/i.test(part)) continue
    const failed = part.slice(0, part.indexOf(': '))
    const address = addresses.find((candidate) => candidate.multiaddr === failed)
    if (address !== undefined) return address
  }
  return undefined
}
