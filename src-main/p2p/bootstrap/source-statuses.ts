import type { Log } from '../../logging/index.js'
import type { BootstrapSourceStatus } from './index.js'
import type { BootstrapSource, ParsedBootstrap } from './parse-source.js'
import type { Resolution } from './resolve-source.js'

/** The status of each source; a change of result is logged, the same result again is not. */
export interface SourceStatuses {
  list(): BootstrapSourceStatus[]
  record(source: BootstrapSource, result: Resolution, askedAtMs: number): void
  subscribe(listener: () => void): () => void
  /** Forgets all and begins anew with these. */
  replace(parsed: ParsedBootstrap): void
}

/** Starts with every source waiting and every bad entry reported. */
export function createSourceStatuses(needs: { log: Log }, options: ParsedBootstrap): SourceStatuses {
  const { log } = needs
  const listeners = new Set<() => void>()
  const nothing = { addresses: 0, reason: undefined, askedAtMs: undefined }
  let bad: BootstrapSourceStatus[] = []
  let statuses = new Map<BootstrapSource, BootstrapSourceStatus>()

  function begin({ sources, problems }: ParsedBootstrap): void {
    bad = problems.map(({ text, setting, reason }) => {
      log.warn('a bootstrap entry cannot be used and is skipped', { setting, entry: text, reason })
      return { ...nothing, source: text, setting, state: 'bad', reason }
    })
    statuses = new Map(
      sources.map((source) => [source, { ...nothing, source: source.text, setting: source.setting, state: 'waiting' }]),
    )
  }
  begin(options)

  return {
    list: () => [...statuses.values(), ...bad],
    replace(parsed) {
      begin(parsed)
      for (const listener of listeners) listener()
    },
    record(source, result, askedAtMs) {
      const before = statuses.get(source)
      // It was replaced while it was asked.
      if (before === undefined) return
      const { text, setting } = source
      const common = { source: text, setting, askedAtMs }
      if (result.ok) {
        const addresses = result.addresses.length
        const reason = result.skipped === 0 ? undefined : `${result.skipped} of its entries are no addresses`
        statuses.set(source, { ...common, state: 'ok', addresses, reason })
        if (before.state !== 'ok' && source.kind !== 'multiaddr') {
          log.info('a bootstrap source answered', { source: text, addresses, skipped: result.skipped })
        }
      } else {
        statuses.set(source, { ...common, state: 'failed', addresses: 0, reason: result.reason })
        if (before.reason !== result.reason) {
          log.warn('a bootstrap source failed and will be asked again', {
            source: text,
            setting,
            reason: result.reason,
          })
        }
      }
      for (const listener of listeners) listener()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
