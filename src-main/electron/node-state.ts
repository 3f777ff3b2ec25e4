import type { z } from 'zod'
import { isCallName, isFeedName } from '#shared/contract/index.js'
import { StatusSchema, type Status } from '#shared/contract/node/node.js'
import { UpdateStateSchema, type UpdateState } from '#shared/contract/node/update.js'
import { PauseStateSchema, type PauseState } from '#shared/contract/sharing/pause.js'
import type { Control } from '../api/index.js'
import { Listeners } from '../base/listeners.js'
import type { Log } from '../logging/index.js'

/** The node's state as the tray and the notifications read it. */
export interface NodeState {
  readonly status: Status | undefined
  /** Undefined where this node can't pause. */
  readonly pause: PauseState | undefined
  /** The state of a newer version of the app. */
  readonly update: UpdateState | undefined
  /** Calls `listener` after each change; returns the unsubscriber. */
  subscribe(listener: () => void): () => void
  /** Does nothing where this node can't pause. */
  pauseFor(forMs: number | null): void
  resume(): void
  /** Stops following the node. */
  stop(): void
}

/** Follows a running node through its own control interface, as a page does. */
export function followNode(needs: { control: Control; log: Log }): NodeState {
  const { control } = needs
  const log = needs.log.forComponent('shell')
  const listeners = new Listeners()
  let status: Status | undefined
  let pause: PauseState | undefined
  let update: UpdateState | undefined
  const stops: (() => void)[] = []

  /** For feeds of one value: each delta is the whole new value. */
  function follow<T>(feed: string, schema: z.ZodType<T>, set: (value: T) => void): void {
    if (!isFeedName(feed)) return
    const stop = control.feeds.follow(feed, {
      ready: () => true,
      send(message) {
        set(schema.parse(message.data))
        listeners.notify()
      },
    })
    stops.push(stop)
  }

  function call(name: string, input: unknown): void {
    if (!isCallName(name)) return
    control.dispatch(name, input, { capabilities: [] }).catch((error: unknown) => {
      log.error('a call from the tray failed', { call: name, error })
    })
  }

  follow('status', StatusSchema, (value) => (status = value))
  follow('pause', PauseStateSchema, (value) => (pause = value))
  follow('update', UpdateStateSchema, (value) => (update = value))
  return {
    get status() {
      return status
    },
    get update() {
      return update
    },
    get pause() {
      return pause
    },
    subscribe: (listener) => listeners.add(listener),
    pauseFor: (forMs) => call('pause.set', { forMs }),
    resume: () => call('pause.resume', {}),
    stop() {
      for (const stop of stops.splice(0)) stop()
      listeners.clear()
    },
  }
}
