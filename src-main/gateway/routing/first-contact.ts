import { within } from '../../base/within.js'
import type { NodeTable } from '../../node-table/index.js'
import type { Choice } from './choose-providers.js'

/** Peers asked at once, and after how many ms twice as many are while none has answered. */
const AT_FIRST = 4
const DOUBLE_EVERY_MS = 100
const AT_MOST = 256
/** No request waits longer for a peer that was never met. */
const WITHIN_MS = 5_000

/**
 * Asks peers that may not be there for their signed status, until one of them says that it has room; true then. Most are
 * there, so few are asked at first; where none answers soon, ever more are. What they answer counts for whatever is
 * asked next. Never rejects.
 */
export async function firstContact(
  status: Pick<NodeTable['status'], 'refresh'>,
  peerIds: readonly string[],
): Promise<boolean> {
  const waiting = peerIds.values()
  const met = Promise.withResolvers<boolean>()
  let isOver = false
  let lanes = 0

  async function ask(): Promise<void> {
    for (const peerId of waiting) {
      const outcome = await status.refresh(peerId)
      if (isOver) return
      const isThere = outcome.kind === 'unsupported' || (outcome.kind === 'answered' && hasRoom(outcome.status))
      if (isThere) met.resolve(true)
    }
    lanes -= 1
    if (lanes === 0) met.resolve(false)
  }

  function addLanes(count: number): void {
    for (let added = 0; added < count && lanes < Math.min(AT_MOST, peerIds.length); added += 1) {
      lanes += 1
      void ask()
    }
  }

  addLanes(AT_FIRST)
  if (lanes === 0) return false
  const widening = setInterval(() => addLanes(lanes), DOUBLE_EVERY_MS)
  try {
    return await within(met.promise, WITHIN_MS, () => false)
  } finally {
    isOver = true
    clearInterval(widening)
  }
}

function hasRoom(status: { paused: string | null; slotsFree: number | null }): boolean {
  return status.paused === null && status.slotsFree !== 0
}

/** A choice for which the network is asked. */
export interface OpenChoice {
  /** What it is by what is known now. */
  now: () => Choice
  status: Pick<NodeTable['status'], 'refresh'>
  /** Looks for providers beyond the table; `areAway`: those it knows do not answer. */
  find: (areAway: boolean) => Promise<unknown>
}

/** Whether the first of the providers is no more than somebody who may be there. */
export const isUnmet = ({ providers: [first], unproven }: Choice): boolean =>
  first?.kind === 'peer' && unproven.includes(first.peerId)

/**
 * Whoever comes first may not be there. With others behind it, which only a client's wish brings about, it alone is
 * asked; else all who may be there are, and the first who is gets the request. What does not answer is left out.
 */
export async function meet({ now, status }: OpenChoice): Promise<Choice> {
  const choice = now()
  const { providers, unproven } = choice
  const others = providers.filter((provider) => provider.kind === 'self' || !unproven.includes(provider.peerId))
  const [first] = providers
  const asked = others.length > 0 && first?.kind === 'peer' ? [first.peerId] : unproven
  if (await firstContact(status, asked)) return now()
  return { ...choice, providers: others, knownButAway: true }
}

/** A table that holds a part of the network may know nobody, or those alone who are away: the DHT knows more. */
export async function lookFurther(choice: OpenChoice, areAway: boolean): Promise<Choice> {
  await choice.find(areAway)
  const found = choice.now()
  return isUnmet(found) ? await meet(choice) : found
}

/**
 * In a table that holds a part of the network, those it knows may be gone: after so long others are looked for as well.
 * Where few are known it is likelier that none is there, and nobody else is asked meanwhile.
 */
const LOOKS_FURTHER_AFTER_MS = { few: 300, many: 1_000 }
const FEW = 3

/** Whoever of those that are known is there, or whom {@link lookFurther} finds where they are not, or take long. */
export function meetOrLookFurther(choice: OpenChoice): Promise<Choice> {
  const areFew = choice.now().unproven.length <= FEW
  const afterMs = LOOKS_FURTHER_AFTER_MS[areFew ? 'few' : 'many']
  return firstWithProviders(meet(choice), () => lookFurther(choice, true), afterMs)
}

/**
 * The first choice that has providers: `met`, those that are known and asked whether they are there, or what `further`
 * finds, which is begun when the first takes long or has nobody. `met` where neither has one.
 */
export async function firstWithProviders(
  met: Promise<Choice>,
  further: () => Promise<Choice>,
  afterMs = LOOKS_FURTHER_AFTER_MS.many,
): Promise<Choice> {
  const soon = await within(met, afterMs, () => undefined)
  if (soon !== undefined && hasProviders(soon)) return soon
  const both = [met, further()].map((choice) =>
    choice.then((made) => (hasProviders(made) ? made : Promise.reject(new NobodyFound()))),
  )
  return await Promise.any(both).catch((error: unknown) => {
    // Nobody is an answer as well; what else went wrong is not.
    const others =
      error instanceof AggregateError ? error.errors.filter((each) => !(each instanceof NobodyFound)) : [error]
    if (others.length > 0) throw others[0]
    return met
  })
}

class NobodyFound extends Error {}

const hasProviders = ({ providers }: Choice): boolean => providers.length > 0
