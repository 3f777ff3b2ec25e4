import type { FeedDefinition } from '#shared/contract/define.js'
import { FEEDS, isFeedName, type FeedName, type FeedSnapshot } from '#shared/contract/index.js'
import type { FeedMessage } from '#shared/contract/wire.js'
import { AppError } from '#shared/errors.js'
import type { Log } from '../logging/index.js'

/** Where a feed's state comes from. */
export interface FeedSource<T> {
  snapshot(): T
  /** Calls `listener` when a new snapshot may differ; may be called as often as it likes. Returns the way to stop. */
  subscribe(listener: () => void): () => void
}

/** One source for each feed of the contract. */
export type FeedSources = { readonly [N in FeedName]: FeedSource<FeedSnapshot<N>> }

/** Where the messages of one follower go. */
interface FeedSink {
  /** False while earlier messages are still on their way: the follower is then left out and gets a snapshot later. */
  ready(): boolean
  send(message: FeedMessage): void
}

/** The feeds of this node. */
export interface Feeds {
  /**
   * Sends a snapshot at once and deltas afterwards until the returned function is called.
   * Throws `not_found` for a feed the contract doesn't have.
   */
  follow(feed: string, sink: FeedSink): () => void
  /** Ends every feed. */
  stop(): void
}

/** At most four messages a second and follower: no one reads more than that. */
const INTERVAL_MS = 250

/**
 * Feeds over sources. A source is read only while someone follows it, at most once per interval, and each reading is
 * validated once however many follow. Nothing is queued: who can't keep up gets a fresh snapshot when he can.
 */
export function createFeeds(needs: { sources: FeedSources; log: Log }, options: { intervalMs?: number } = {}): Feeds {
  const hubs = new Map<FeedName, Hub>()
  const intervalMs = options.intervalMs ?? INTERVAL_MS

  function hubOf(feed: FeedName): Hub {
    const known = hubs.get(feed)
    if (known !== undefined) return known
    const hub = createHub({
      definition: FEEDS[feed],
      source: needs.sources[feed],
      onError: (error) => needs.log.error('a feed could not be read', { feed, error }),
      intervalMs,
    })
    hubs.set(feed, hub)
    return hub
  }

  return {
    follow(feed, sink) {
      if (!isFeedName(feed)) throw new AppError('not_found', `This node has no feed of that name.`)
      return hubOf(feed).follow(sink)
    },
    stop() {
      for (const hub of hubs.values()) hub.stop()
      hubs.clear()
    },
  }
}

interface Hub {
  follow(sink: FeedSink): () => void
  stop(): void
}

interface HubNeeds {
  definition: FeedDefinition
  source: FeedSource<unknown>
  onError: (error: unknown) => void
  intervalMs: number
}

function createHub({ definition, source, onError, intervalMs }: HubNeeds): Hub {
  /** Each follower with whether its next message must be a snapshot. */
  const followers = new Map<FeedSink, { stale: boolean }>()
  let state: unknown
  let revision = 0
  let unsubscribe: (() => void) | undefined
  let timer: NodeJS.Timeout | undefined

  function schedule(): void {
    timer ??= setTimeout(tick, intervalMs)
  }

  function tick(): void {
    timer = undefined
    try {
      publish(advance())
    } catch (error) {
      onError(error)
    }
  }

  /** Reads the source; the delta from the last reading, if it changed. */
  function advance(): FeedMessage | undefined {
    const next = source.snapshot()
    const delta = definition.diff(state, next)
    const data = delta === undefined ? undefined : definition.delta.parse(delta)
    state = next
    if (data === undefined) return undefined
    revision += 1
    return { type: 'delta', from: revision - 1, revision, data }
  }

  function publish(delta: FeedMessage | undefined): void {
    let someoneStale = false
    for (const [sink, follower] of followers) {
      if (!sink.ready()) {
        follower.stale ||= delta !== undefined
      } else if (follower.stale) {
        follower.stale = false
        sink.send(snapshot())
      } else if (delta !== undefined) {
        sink.send(delta)
      }
      someoneStale ||= follower.stale
    }
    if (someoneStale) schedule()
  }

  function snapshot(): FeedMessage {
    return { type: 'snapshot', revision, data: definition.snapshot.parse(state) }
  }

  function leave(sink: FeedSink): void {
    if (followers.delete(sink) && followers.size === 0) sleep()
  }

  function sleep(): void {
    unsubscribe?.()
    unsubscribe = undefined
    clearTimeout(timer)
    timer = undefined
  }

  return {
    follow(sink) {
      if (unsubscribe === undefined) {
        state = source.snapshot()
        revision += 1
      }
      const first = snapshot()
      unsubscribe ??= source.subscribe(schedule)
      followers.set(sink, { stale: false })
      sink.send(first)
      return () => leave(sink)
    },
    stop() {
      followers.clear()
      sleep()
    },
  }
}
