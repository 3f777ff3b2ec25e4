import type { GossipSub } from '@libp2p/gossipsub'
import { expect, test } from 'vitest'
import { gossipLimits, splitRpcs } from '../../../../../src-main/p2p/hardening/gossip/gossip-bounds.js'

interface Rpc {
  subscriptions: object[]
  messages: { data: Uint8Array }[]
  control?: object
}

function sentOf(rpc: Rpc): Rpc[] {
  const sent: Rpc[] = []
  const pubsub = {
    sendRpc(_peer: string, part: Rpc) {
      sent.push(part)
      return true
    },
  }
  splitRpcs(pubsub as unknown as GossipSub)
  expect(pubsub.sendRpc('peer', rpc)).toBe(true)
  return sent
}
const message = (bytes: number) => ({ data: new Uint8Array(bytes) })

test('an RPC with more messages than a reader takes is sent as several, with its control messages in the first', () => {
  const messages = Array.from({ length: 100 }, () => message(8192))
  const sent = sentOf({ subscriptions: [], messages, control: { graft: [] } })
  expect(sent.flatMap((part) => part.messages)).toEqual(messages)
  expect(sent.map(({ control }) => control)).toEqual([{ graft: [] }, ...sent.slice(1).map(() => undefined)])
  for (const part of sent) {
    expect(part.messages.length).toBeLessThanOrEqual(gossipLimits([]).decodeRpcLimits.maxMessages)
    expect(part.messages.length * 8192).toBeLessThan(gossipLimits([]).maxInboundDataLength / 2)
  }
})

test('many small messages are split by their number', () => {
  const sent = sentOf({ subscriptions: [], messages: Array.from({ length: 100 }, () => message(10)) })
  expect(sent.map(({ messages }) => messages.length)).toEqual([32, 32, 32, 4])
})

test('an RPC without messages goes out as it is', () => {
  const rpc: Rpc = { subscriptions: [{}], messages: [], control: {} }
  expect(sentOf(rpc)).toEqual([rpc])
})
