import { expect, test } from 'vitest'
import { readServerEvents } from '../../../../../../src-renderer/features/models/chat/read-sse.js'

function streamOf(...pieces: (string | Uint8Array)[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder()
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces)
        controller.enqueue(typeof piece === 'string' ? encoder.encode(piece) : new Uint8Array(piece))
      controller.close()
    },
  })
}

test('server-sent events are found however the stream is cut, and comments are skipped', async () => {
  const bytes = new TextEncoder().encode(
    ': waiting\n\ndata: {"a":"ü"}\r\n\r\nevent: error\ndata: x\ndata: y\n\ndata: [DONE]\n\n',
  )
  for (let size = 1; size <= bytes.length; size += 1) {
    const pieces: Uint8Array[] = []
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.slice(at, at + size))
    const events = []
    for await (const event of readServerEvents(streamOf(...pieces))) events.push(event)
    expect(events).toEqual([
      { event: 'message', data: '{"a":"ü"}' },
      { event: 'error', data: 'x\ny' },
      { event: 'message', data: '[DONE]' },
    ])
  }
})
