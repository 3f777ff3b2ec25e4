// For @libp2p/kad-dht 16.4.5: a message that asks for nothing of the disk or the network is handled without a pause, and
// the next one of the stream after it, so one peer's backlog keeps everything else waiting. Goes when its handlers take
// turns.

import { setImmediate as nextTurn } from 'node:timers/promises'

/** About 2 ms of work: to publish a key costs half a millisecond, an answer of twenty peers a little more. */
const MESSAGES_PER_TURN = 4

/** What answers the messages of other peers. */
interface MessageHandler<M extends unknown[], A> {
  handleMessage(...message: M): Promise<A>
}

/** Makes `rpc` handle no more than a few messages in one turn of the event loop, however many have come. */
export function handleInTurns<M extends unknown[], A>(rpc: MessageHandler<M, A>): void {
  const handleMessage = rpc.handleMessage.bind(rpc)
  let left = MESSAGES_PER_TURN
  let turn: Promise<void> | undefined
  rpc.handleMessage = async (...message) => {
    while (left === 0) {
      turn ??= nextTurn().then(() => {
        left = MESSAGES_PER_TURN
        turn = undefined
      })
      await turn
    }
    left -= 1
    return handleMessage(...message)
  }
}
