import type { DetectedModel } from '#shared/contract/sharing/detection.js'
import type { ShareView } from '#shared/contract/sharing/shares.js'

/** What is ticked on a server's card: some models, or all of them and those that come later. */
export type Ticks = 'all' | readonly string[]

/** What is ticked before anything was clicked: what is shared, else every model there is. */
export function firstTicks(models: readonly DetectedModel[], share: ShareView | undefined): Ticks {
  return share === undefined ? models.map((model) => model.id) : share.models
}

/** The ids that are ticked, of the models there are. */
export function tickedIds(models: readonly DetectedModel[], ticks: Ticks): string[] {
  const ids = models.map((model) => model.id)
  return ticks === 'all' ? ids : ids.filter((id) => ticks.includes(id))
}

/** After a click on one model. Unticking one of `all` leaves the others as they are now. */
export function toggleTick(models: readonly DetectedModel[], ticks: Ticks, id: string): Ticks {
  const now = tickedIds(models, ticks)
  return now.includes(id) ? now.filter((other) => other !== id) : [...now, id]
}

/** Whether saving would change what is shared. */
export function ticksDiffer(share: ShareView, ticks: Ticks): boolean {
  if (share.models === 'all' || ticks === 'all') return share.models !== ticks
  const shared = new Set(share.models)
  return shared.size !== new Set(ticks).size || ticks.some((id) => !shared.has(id))
}
