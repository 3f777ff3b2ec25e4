// Serves inbound-gate.ts, which stands for limits libp2p lacks, and the peer listener. Stays while one of them does.

/** A slot that is held. */
export interface Slot {
  /** Gives it back; idempotent. */
  release(): void
}

/** What else may be said of a slot that is taken. */
interface SlotOptions {
  /** Called at most once, when it is evicted for a holder of fewer. It is released by then. */
  onEvicted: () => void
  /** Whether it is at work now: of a holder's slots the idle ones are evicted first. Left out: never. */
  isBusy?: () => boolean
  /** Whether nothing has come from it yet. Such a slot is evicted before others, and if need be for its own holder. */
  isSilent?: () => boolean
}

/** Slots of which no holder can keep all: when they run out, the holder of most loses one. */
export interface FairSlots {
  readonly used: number
  /**
   * A slot for `holder`, if need be one of the holder of most. Where that is `holder`, or has hardly more: a silent one of
   * its own, or undefined.
   */
  take(holder: string, options: SlotOptions): Slot | undefined
  /** Whether {@link FairSlots.take} would give one. */
  hasRoomFor(holder: string): boolean
}

/** While there is room any holder may have any number: nothing is kept back for absent ones. */
export function createFairSlots(options: { max: number }): FairSlots {
  const held = new Map<string, Set<SlotOptions>>()
  let used = 0

  function drop(holder: string, entry: SlotOptions): void {
    const slots = held.get(holder)
    if (slots?.delete(entry) !== true) return
    used -= 1
    if (slots.size === 0) held.delete(holder)
  }

  function greediest(): [string, Set<SlotOptions>] | undefined {
    let most: [string, Set<SlotOptions>] | undefined
    for (const entry of held) if (most === undefined || entry[1].size > most[1].size) most = entry
    return most
  }

  /** Who has to give one to `holder`: somebody who still has as many afterwards. */
  function giverFor(holder: string): [string, Set<SlotOptions>] | undefined {
    const most = greediest()
    return most !== undefined && most[1].size > (held.get(holder)?.size ?? 0) + 1 ? most : undefined
  }

  /** Which slot is evicted for one of `holder`. */
  function leavingFor(holder: string): [string, SlotOptions] | undefined {
    const [name, slots] = giverFor(holder) ?? []
    const given = slots === undefined ? undefined : (firstSilent(slots) ?? firstIdle(slots))
    if (name !== undefined && given !== undefined) return [name, given]
    const own = firstSilent(held.get(holder) ?? new Set())
    return own === undefined ? undefined : [holder, own]
  }

  return {
    get used() {
      return used
    },
    hasRoomFor: (holder) => used < options.max || leavingFor(holder) !== undefined,
    take(holder, entry) {
      if (used >= options.max) {
        const leaving = leavingFor(holder)
        if (leaving === undefined) return undefined
        drop(...leaving)
        leaving[1].onEvicted()
      }
      const slots = held.get(holder) ?? new Set()
      // A fresh object: one set of options may be given for two slots.
      const own = { ...entry }
      held.set(holder, slots.add(own))
      used += 1
      return { release: () => drop(holder, own) }
    },
  }
}

/** The oldest from which nothing has come. */
function firstSilent(slots: Set<SlotOptions>): SlotOptions | undefined {
  for (const slot of slots) if (slot.isSilent?.() === true) return slot
  return undefined
}

/** The oldest that is idle, else the newest: what has been at work for longest is closest to its end. */
function firstIdle(slots: Set<SlotOptions>): SlotOptions | undefined {
  let newest: SlotOptions | undefined
  for (const slot of slots) {
    if (slot.isBusy?.() !== true) return slot
    newest = slot
  }
  return newest
}
