import type { Log } from '../../logging/index.js'
import type { DialOutcome } from './dial-round.js'
import { ANOTHER_PEER } from './failure-words.js'
import { type BootstrapSource, type ParsedBootstrap, oddEntries, type Resolution } from './parse-source.js'
import type { BootstrapSourceStatus } from './index.js'

/** The status of each source; a change of result is logged, the same result again is not. */
export interface SourceStatuses {
  list(): BootstrapSourceStatus[]
  /** What the source told. */
  record(source: BootstrapSource, result: Resolution, askedAtMs: number): void
  /** What came of dialling it. */
  recordDials(source: BootstrapSource, outcome: DialOutcome): void
  subscribe(listener: () => void): () => void
  /** Forgets all and begins anew with these. */
  replace(parsed: ParsedBootstrap): void
}

/** What is known of one source, the last of each. */
interface Known {
  told: Resolution | undefined
  dials: DialOutcome | undefined
  askedAtMs: number | undefined
  /** As it was logged last. */
  logged: string
}

/** Starts with every source waiting and every bad entry reported. */
export function createSourceStatuses(needs: { log: Log }, options: ParsedBootstrap): SourceStatuses {
  const { log } = needs
  const listeners = new Set<() => void>()
  let bad: BootstrapSourceStatus[] = []
  let sources = new Map<BootstrapSource, Known>()

  function begin({ sources: given, problems }: ParsedBootstrap): void {
    bad = problems.map(({ text, setting, reason }) => {
      log.warn('a bootstrap entry cannot be used and is skipped', { setting, entry: text, reason })
      return { source: text, setting, state: 'bad', addresses: 0, reason, askedAtMs: undefined }
    })
    sources = new Map(
      given.map((source) => [source, { told: undefined, dials: undefined, askedAtMs: undefined, logged: '' }]),
    )
  }
  begin(options)

  function tell(source: BootstrapSource, known: Known): void {
    const { state, addresses, reason } = statusOf(source, known)
    const news = `${state} ${reason ?? ''}`
    if (news !== known.logged && state !== 'waiting') {
      const about = { source: source.text, setting: source.setting }
      if (state === 'failed') log.warn('a bootstrap source failed and will be asked again', { ...about, reason })
      else if (impostors(known).length > 0) log.warn('a bootstrap source tells a wrong address', { ...about, reason })
      else if (source.kind !== 'multiaddr') log.info('a bootstrap source answered', { ...about, addresses, reason })
      known.logged = news
    }
    for (const listener of listeners) listener()
  }

  return {
    list: () => [...[...sources].map(([source, known]) => statusOf(source, known)), ...bad],
    replace(parsed) {
      begin(parsed)
      for (const listener of listeners) listener()
    },
    record(source, told, askedAtMs) {
      const known = sources.get(source)
      // It was replaced while it was asked.
      if (known === undefined) return
      // How its peers did the last time counts until they are dialled again.
      Object.assign(known, { told, askedAtMs, dials: told.ok ? known.dials : undefined })
      tell(source, known)
    },
    recordDials(source, dials) {
      const known = sources.get(source)
      if (known === undefined) return
      known.dials = dials
      tell(source, known)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

function statusOf(source: BootstrapSource, known: Known): BootstrapSourceStatus {
  const { told, dials, askedAtMs } = known
  const status = { source: source.text, setting: source.setting, addresses: 0, reason: undefined, askedAtMs }
  if (told === undefined) return { ...status, state: 'waiting' }
  if (!told.ok) return { ...status, state: 'failed', reason: told.reason }
  const addresses = told.addresses.length
  // A multiaddr tells itself; only its peer can answer.
  if (source.kind === 'multiaddr' && !isTried(dials)) return { ...status, state: 'waiting', askedAtMs: undefined }
  const failure = dialFailure(source, dials)
  if (failure !== undefined) return { ...status, state: 'failed', addresses, reason: failure }
  const [impostor] = impostors(known)
  const notes = [
    oddEntries(told),
    dials?.isSelf === true ? 'that is this node itself' : undefined,
    impostor === undefined ? undefined : `${ANOTHER_PEER}: ${impostor}`,
  ].filter((note) => note !== undefined)
  return { ...status, state: 'ok', addresses, reason: notes.length === 0 ? undefined : notes.join('; ') }
}

function isTried(dials: DialOutcome | undefined): dials is DialOutcome {
  return dials !== undefined && (dials.isSelf || dials.reached + dials.failed.length > 0)
}

/** Why nobody could be reached through a source; undefined where somebody was, or nobody was tried. */
function dialFailure(source: BootstrapSource, dials: DialOutcome | undefined): string | undefined {
  const [first] = dials?.failed ?? []
  if (dials === undefined || first === undefined || dials.reached > 0) return undefined
  if (source.kind === 'multiaddr') return first.reason
  return `it answers, but none of the peers it tells does: ${first.addresses[0] ?? ''}: ${first.reason}`
}

/** Addresses at which another peer answers than the one they name. */
function impostors({ dials }: Known): string[] {
  return (dials?.failed ?? []).flatMap(({ reason, addresses }) => (reason === ANOTHER_PEER ? addresses : []))
}
