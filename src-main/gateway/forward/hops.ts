import { AppError } from '#shared/errors.js'

/** The gateways a request went through, oldest first: comma-separated peer ids. */
export const HOPS_HEADER = 'x-ocf-hops'

/** A peer id as text: base58 or base32. What else a client puts here is dropped, so that nothing of its own travels on. */
const PEER_ID = /^[A-Za-z0-9]{32,128}$/

/** More gateways than any sensible path has. */
const MAX_HOPS = 8

/**
 * The value to send on, with this node's id added.
 * @throws AppError `loop_detected` when the request was here before, or went through too many gateways
 */
export function nextHops(header: string | string[] | undefined, ownPeerId: string): string {
  if (header === undefined) return ownPeerId
  const seen = (Array.isArray(header) ? header.join(',') : header).split(',').map((id) => id.trim())
  const hops = seen.filter((id) => PEER_ID.test(id))
  if (hops.includes(ownPeerId) || hops.length >= MAX_HOPS) {
    throw new AppError(
      'loop_detected',
      'This request came back to a gateway it had already passed. A shared service points at an OCF gateway: share the model server itself.',
    )
  }
  return [...hops, ownPeerId].join(',')
}
