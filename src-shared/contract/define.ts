import { z } from 'zod'
import { applyListDelta, type ListDelta } from './list-feeds.js'

/** One call of the control interface: what goes in, what comes out, and a sentence for the generated docs. */
export interface CallDefinition<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly input: I
  readonly output: O
  readonly help: string
}

/** Declares a call. Inputs should be strict objects, so that a misspelt field is an error and not a silence. */
export function defineCall<I extends z.ZodType, O extends z.ZodType>(
  help: string,
  schemas: { input: I; output: O },
): CallDefinition<I, O> {
  return { help, ...schemas }
}

/** The input of calls that need none. */
export const NoInputSchema = z.strictObject({})

/**
 * One feed: a snapshot when a follower arrives, deltas afterwards. `diff` and `apply` are inverse, so the sender and
 * every receiver of a feed share one definition of what a delta means.
 */
export interface FeedDefinition<S extends z.ZodType = z.ZodType, D extends z.ZodType = z.ZodType> {
  readonly snapshot: S
  readonly delta: D
  readonly help: string
  /** The delta that turns `before` into `after`; undefined when nothing changed. */
  diff(before: z.output<S>, after: z.output<S>): z.output<D> | undefined
  /** A new snapshot; `before` is left as it was. */
  apply(before: z.output<S>, delta: z.output<D>): z.output<S>
}

/** A feed of one small value: each delta is the whole new value. */
export function defineStateFeed<S extends z.ZodType>(help: string, value: S): FeedDefinition<S, S> {
  return {
    help,
    snapshot: value,
    delta: value,
    diff: (before, after) => (sameJson(before, after) ? undefined : after),
    apply: (_before, delta) => delta,
  }
}

/**
 * A feed of a keyed list. New items go to the end, changed ones stay where they are, so rows never jump.
 * Senders keep unchanged items identical (`===`): that is what makes a diff of a thousand rows cheap.
 */
export function defineListFeed<I extends z.ZodType>(help: string, item: I, keyOf: (item: z.output<I>) => string) {
  type Item = z.output<I>
  const snapshot = z.array(item) as unknown as z.ZodType<Item[]>
  const delta = z.object({ set: z.array(item), removed: z.array(z.string()) }) as unknown as z.ZodType<ListDelta<Item>>
  const definition: FeedDefinition<typeof snapshot, typeof delta> = {
    help,
    snapshot,
    delta,
    diff(before, after) {
      const old = new Map(before.map((entry) => [keyOf(entry), entry]))
      const set: Item[] = []
      for (const entry of after) {
        const key = keyOf(entry)
        const previous = old.get(key)
        if (previous === undefined || (previous !== entry && !sameJson(previous, entry))) set.push(entry)
        old.delete(key)
      }
      return set.length === 0 && old.size === 0 ? undefined : { set, removed: [...old.keys()] }
    },
    apply: (before, delta) => applyListDelta(keyOf, before, delta),
  }
  return definition
}

function sameJson(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}
