import type { ModelProvider, ProviderLoad } from '#shared/contract/models/models.js'

/** How busy the providers of a model are together; only those that reported are in it. */
export interface ModelLoad {
  /** Requests at work. */
  used: number
  /** Requests all of them would take at once; null where one sets no limit. */
  total: number | null
  waiting: number
  /** Everyone who reported takes no requests at the moment. */
  paused: boolean
  /** How many reported. */
  reported: number
}

/** Undefined where none reported lately. */
export function loadOf(providers: readonly Pick<ModelProvider, 'load'>[]): ModelLoad | undefined {
  const loads = providers.flatMap(({ load }) => (load === null ? [] : [load]))
  if (loads.length === 0) return undefined
  const open = loads.filter(({ paused }) => !paused)
  const totals = open.map(({ slotsTotal }) => slotsTotal)
  return {
    used: sum(open.map(usedOf)),
    total: totals.some((total) => total === null) ? null : sum(totals.map((total) => total ?? 0)),
    waiting: sum(open.map((load) => Math.max(0, load.queueLength - usedOf(load)))),
    paused: open.length === 0,
    reported: loads.length,
  }
}

/** What lists are sorted by: how full it is, with those that wait; one that is paused last. */
export function fullness(load: ModelLoad | undefined): number | null {
  if (load === undefined) return null
  if (load.paused) return Infinity
  return (load.used + load.waiting) / (load.total ?? Math.max(1, load.used * 2))
}

/** Where there is no limit, everything that is there runs. */
function usedOf({ slotsTotal, slotsFree, queueLength }: ProviderLoad): number {
  return slotsTotal === null || slotsFree === null ? queueLength : slotsTotal - slotsFree
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
