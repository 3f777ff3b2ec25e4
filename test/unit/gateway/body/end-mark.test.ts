import { expect, test } from 'vitest'
import { EndMark } from '../../../../src-main/gateway/body/end-mark.js'

function wasSeen(...pieces: string[]): boolean {
  const mark = new EndMark()
  for (const piece of pieces) mark.push(Buffer.from(piece))
  return mark.wasSeen()
}

test.each([
  ['OpenAI’s last line', ['data: {"choices":[]}\n\n', 'data: [DONE]\n\n']],
  ['a mark cut by the network', ['data: [DO', 'NE', ']\n\n']],
  [
    'the reason of a choice before the count of tokens',
    ['data: {"finish_reason":"stop"}\n\n', 'data: {"usage":{}}\n\n'],
  ],
  ['Anthropic’s last event', ['event: message_stop\ndata: {"type":"message_stop"}\n\n']],
  ['the end of a response', ['event: response.completed\ndata: {"type":"response.completed"}\n\n']],
  ['an error event', ['event: error\ndata: {"error":{}}\n\n']],
  ['a mark behind a long answer', ['x'.repeat(100_000), 'data: [DONE]\n\n']],
])('%s is a mark at the end of a stream', (_name, pieces) => {
  expect(wasSeen(...pieces)).toBe(true)
})

test.each([
  ['nothing', []],
  ['a choice that has not ended', ['data: {"choices":[{"finish_reason":null}]}\n\n']],
  ['a mark that is far from the end', ['data: [DONE]\n\n', 'x'.repeat(100_000)]],
])('%s is no mark at the end of a stream', (_name, pieces) => {
  expect(wasSeen(...pieces)).toBe(false)
})
