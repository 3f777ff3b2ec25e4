import { contextBridge, ipcRenderer } from 'electron'
import type { OcfBridge } from '#shared/contract/bridge.js'
import type { CallReply, FeedNews, FollowedMessage } from '#shared/contract/wire.js'
import { CHANNELS } from './channels.js'

const listeners = new Map<number, (news: FeedNews) => void>()
let lastId = 0

ipcRenderer.on(CHANNELS.feed, (_event, { id, ...news }: FollowedMessage) => listeners.get(id)?.(news))

const bridge: OcfBridge = {
  call: (name, input) => ipcRenderer.invoke(CHANNELS.call, name, input) as Promise<CallReply>,
  follow(feed, listener) {
    lastId += 1
    const id = lastId
    listeners.set(id, listener)
    ipcRenderer.send(CHANNELS.follow, id, feed)
    return () => {
      listeners.delete(id)
      ipcRenderer.send(CHANNELS.unfollow, id)
    }
  },
}

contextBridge.exposeInMainWorld('ocf', bridge)
