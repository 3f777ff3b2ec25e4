import type { OcfBridge } from '#shared/contract/bridge.js'
import { createFeedReceiver, type Client } from '#shared/contract/client.js'
import type { CallOutput } from '#shared/contract/index.js'
import { fromWireError } from '#shared/errors.js'

/** The control interface through the preload script's bridge. */
export function createIpcClient(bridge: OcfBridge): Client {
  return {
    async call(name, input) {
      const reply = await bridge.call(name, input)
      if (!reply.ok) throw fromWireError({ error: reply.error })
      return reply.output as CallOutput<typeof name>
    },
    follow(feed, observer) {
      let stop: () => void = () => undefined
      const begin = (): void => {
        const receiver = createFeedReceiver(observer, () => {
          stop()
          begin()
        })
        stop = bridge.follow(feed, (news) => {
          if ('message' in news) receiver.receive(news.message)
          else observer.onLost?.(fromWireError({ error: news.error }))
        })
      }
      begin()
      return () => stop()
    },
  }
}
