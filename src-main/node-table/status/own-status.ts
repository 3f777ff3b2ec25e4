/** How busy this node is, as it tells peers that ask before they send a request. */
export interface OwnStatus {
  /** Requests of peers it would take at once; null where it sets no limit. */
  slotsTotal: number | null
  /** Of those, how many are free now; null where it sets no limit. */
  slotsFree: number | null
  /** Requests of peers that wait or run. */
  queueLength: number
  /** Why it takes no requests at the moment, in a few words for the person who asks; null while it takes them. */
  paused: string | null
}

/** Knows how busy this node is. Read for each status request, so it must be quick. */
export interface OwnStatusSource {
  current(): OwnStatus
}

/** A node without limits of which nothing is known. */
export const IDLE_STATUS: OwnStatusSource = {
  current: () => ({ slotsTotal: null, slotsFree: null, queueLength: 0, paused: null }),
}
