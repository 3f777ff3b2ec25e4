import type { Log } from '../../logging/index.js'
import type { BootstrapSourceStatus } from './index.js'
import type { BootstrapProblem, BootstrapSource } from './parse-source.js'
import type { Resolution } from './resolve-source.js'

/** The status of each source; a change of result is logged, the same result again is not. */
export interface SourceStatuses {
  list(): BootstrapSourceStatus[]
  record(source: BootstrapSource, result: Resolution, askedAtMs: number): void
  subscribe(listener: () => void): () => void
}

/** Starts with every source waiting and every bad entry reported. */
export function createSourceStatuses(
  needs: { log: Log },
  options: { sources: readonly BootstrapSource[]; problems: readonly BootstrapProblem[] },
): SourceStatuses {
  const { log } = needs
  const listeners = new Set<() => void>()
  const nothing = { addresses: 0, reason: undefined, askedAtMs: undefined }
  const bad = options.problems.map(({ text, setting, reason }): BootstrapSourceStatus => {
    log.warn('a bootstrap entry cannot be used and is skipped', { setting, entry: text, reason })
    return { ...nothing, source: text, setting, state: 'bad', reason }
  })
  const statuses = new Map(
    options.sources.map((source): [BootstrapSource, BootstrapSourceStatus] => [
      source,
      { ...nothing, source: source.text, setting: source.setting, state: 'waiting' },
    ]),
  )

  return {
    list: () => [...statuses.values(), ...bad],
    record(source, result, askedAtMs) {
      const before = statuses.get(source)
      const { text, setting } = source
      const common = { source: text, setting, askedAtMs }
      if (result.ok) {
        const addresses = result.addresses.length
        const reason = result.skipped === 0 ? undefined : `${result.skipped} of its entries are no addresses`
        statuses.set(source, { ...common, state: 'ok', addresses, reason })
        if (before?.state !== 'ok' && source.kind !== 'multiaddr') {
          log.info('a bootstrap source answered', { source: text, addresses, skipped: result.skipped })
        }
      } else {
        statuses.set(source, { ...common, state: 'failed', addresses: 0, reason: result.reason })
        if (before?.reason !== result.reason) {
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
