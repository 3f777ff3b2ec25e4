import type { Log } from '../../logging/index.js'
import type { Host } from '../index.js'
import { dialAddresses } from './dial-round.js'
import { parseBootstrapSettings } from './parse-source.js'
import type { NameLookup } from './resolve-dnsaddr.js'
import { namedAddresses, resolveSource } from './resolve-source.js'

/** What came of asking and dialling a source: `reached` somebody, only this node itself, or nobody and why. */
export type SourceAttempt = { outcome: 'reached' | 'self' } | { outcome: 'failed'; reason: string }

/** Asks one source, in any form the bootstrap settings take, and dials whom it tells. Never throws; takes 10 s at most. */
export async function trySource(
  needs: { host: Host; log: Log; names?: NameLookup },
  text: string,
  signal: AbortSignal,
): Promise<SourceAttempt> {
  const { sources, problems } = parseBootstrapSettings([{ setting: 'bootstrap.joined', values: [text] }])
  const [source] = sources
  if (source === undefined) return { outcome: 'failed', reason: problems[0]?.reason ?? 'it is empty' }
  const told = await resolveSource(source, signal, needs.names)
  if (!told.ok) return { outcome: 'failed', reason: told.reason }
  needs.host.nameAddresses?.(namedAddresses(source, told.addresses))
  const { isSelf, reached, failed } = await dialAddresses(needs, told.addresses, signal)
  if (isSelf) return { outcome: 'self' }
  if (reached > 0) return { outcome: 'reached' }
  const [first] = failed
  if (first === undefined) return { outcome: 'failed', reason: 'it was given up' }
  const where = source.kind === 'multiaddr' ? '' : `it answers, but none of the peers it tells does: `
  return { outcome: 'failed', reason: `${where}${first.reason}` }
}
