import { randomUUID } from 'node:crypto'
import type { Capability } from '#shared/contract/node/node.js'
import type { CallReply, FollowedMessage } from '#shared/contract/wire.js'
import { AppError, toWireError } from '#shared/errors.js'
import type { Control } from '../api/index.js'
import type { Log } from '../logging/index.js'
import { CHANNELS } from './channels.js'

/** The part of a window's contents that is used. */
export interface IpcSender {
  readonly id: number
  send(channel: string, message: FollowedMessage): void
  isDestroyed(): boolean
  once(event: 'destroyed', listener: () => void): unknown
}

/** The part of an IPC event that is used. */
export interface IpcEvent {
  readonly sender: IpcSender
  readonly senderFrame: { readonly url: string } | null
}

/** The part of Electron's `ipcMain` that is used. */
export interface IpcReceiver {
  handle(channel: string, listener: (event: IpcEvent, ...args: unknown[]) => Promise<unknown>): void
  removeHandler(channel: string): void
  on(channel: string, listener: (event: IpcEvent, ...args: unknown[]) => void): unknown
  removeListener(channel: string, listener: (event: IpcEvent, ...args: unknown[]) => void): unknown
}

/** What the IPC adapter needs. */
export interface IpcNeeds {
  ipc: IpcReceiver
  control: Control
  log: Log
}

/** Feeds one window may follow at a time. */
const MAX_FOLLOWED = 32

/**
 * Serves a {@link Control} to the app's own pages. Refuses messages from frames whose address does not begin
 * with `trustedUrl`. Returns a function that stops it.
 */
export function serveIpc(
  needs: IpcNeeds,
  options: { trustedUrl: string; capabilities: readonly Capability[] },
): () => void {
  const { control, ipc } = needs
  const log = needs.log.forComponent('ipc')
  const followed = new Map<number, Map<number, () => void>>()

  function assertOwnFrame(event: IpcEvent): void {
    if (event.senderFrame?.url.startsWith(options.trustedUrl) === true) return
    throw new AppError('forbidden_origin', 'Only the pages of this app may use the control interface.')
  }

  function fail(error: unknown, message: string) {
    const requestId = randomUUID()
    if (!(error instanceof AppError)) log.error(message, { requestId, error })
    return toWireError(error, requestId).error
  }

  async function onCall(event: IpcEvent, name: unknown, input: unknown): Promise<CallReply> {
    try {
      assertOwnFrame(event)
      const context = { capabilities: options.capabilities }
      return { ok: true, output: await control.dispatch(typeof name === 'string' ? name : '', input, context) }
    } catch (error) {
      return { ok: false, error: fail(error, 'a call failed') }
    }
  }

  function onFollow(event: IpcEvent, id: unknown, feed: unknown): void {
    if (typeof id !== 'number') return
    const { sender } = event
    const send = (message: FollowedMessage): void => {
      if (!sender.isDestroyed()) sender.send(CHANNELS.feed, message)
    }
    try {
      assertOwnFrame(event)
      const own = followedBy(sender)
      own.get(id)?.()
      own.delete(id)
      if (own.size >= MAX_FOLLOWED) throw new AppError('rate_limited', 'Too many feeds in one window.')
      const stop = control.feeds.follow(typeof feed === 'string' ? feed : '', {
        ready: () => true,
        send: (message) => send({ id, message }),
      })
      own.set(id, stop)
    } catch (error) {
      send({ id, error: fail(error, 'a feed could not be followed') })
    }
  }

  function onUnfollow(event: IpcEvent, id: unknown): void {
    if (typeof id !== 'number') return
    const own = followed.get(event.sender.id)
    own?.get(id)?.()
    own?.delete(id)
  }

  function followedBy(sender: IpcSender): Map<number, () => void> {
    const known = followed.get(sender.id)
    if (known !== undefined) return known
    const own = new Map<number, () => void>()
    followed.set(sender.id, own)
    sender.once('destroyed', () => {
      followed.delete(sender.id)
      for (const stop of own.values()) stop()
    })
    return own
  }

  ipc.handle(CHANNELS.call, onCall)
  ipc.on(CHANNELS.follow, onFollow)
  ipc.on(CHANNELS.unfollow, onUnfollow)
  return () => {
    ipc.removeHandler(CHANNELS.call)
    ipc.removeListener(CHANNELS.follow, onFollow)
    ipc.removeListener(CHANNELS.unfollow, onUnfollow)
    for (const own of followed.values()) for (const stop of own.values()) stop()
    followed.clear()
  }
}
