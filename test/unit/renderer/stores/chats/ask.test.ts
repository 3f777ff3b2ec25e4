import { afterEach, expect, test, vi } from 'vitest'
import { ask, type Answer } from '../../../../../src-renderer/stores/chats/ask.js'

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

const QUESTION = {
  baseUrl: 'http://gateway/v1',
  model: 'm',
  messages: [],
  temperature: null,
  maxTokens: null,
  headers: {},
  key: null,
}

function answerWith(body: ReadableStream<Uint8Array<ArrayBuffer>>, init: ResponseInit = {}): void {
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(body, init)))
}

async function askedFor(): Promise<Answer[]> {
  const seen: Answer[] = []
  await ask(QUESTION, (answer) => seen.push(answer), new AbortController().signal)
  return seen
}

afterEach(() => vi.unstubAllGlobals())

test('an answer grows piece by piece and has the server’s own count of tokens at the end', async () => {
  const piece = (content: string): string => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`
  answerWith(
    streamOf(piece('Hel'), piece('lo'), 'data: {"choices":[],"usage":{"completion_tokens":7}}\n\n', 'data: [DONE]\n\n'),
    {
      headers: { 'X-Computing-Node': 'peer', 'X-Ocf-Tries': '2' },
    },
  )
  const seen = await askedFor()
  expect(seen.map(({ text }) => text)).toEqual(['', 'Hel', 'Hello', 'Hello'])
  expect(seen.at(-1)).toMatchObject({ tokens: 7, exactTokens: true, servedBy: 'peer', tries: 2 })
  expect(seen.at(-2)).toMatchObject({ tokens: 2, exactTokens: false })
})

test('an answer says who went on with it', async () => {
  const piece = (content: string): string => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`
  answerWith(streamOf(piece('Hel'), `: ocf-continued peer=second digest=same\n\n${piece('lo')}`, 'data: [DONE]\n\n'))
  const seen = await askedFor()
  expect(seen.at(-1)).toMatchObject({ text: 'Hello', continuedBy: 'second', tokens: 2 })
  expect(seen[1]).toMatchObject({ text: 'Hel', continuedBy: null })
})

test('an answer that ends without [DONE] has failed', async () => {
  answerWith(streamOf('data: {"choices":[{"delta":{"content":"Hel"}}]}\n\n'))
  await expect(askedFor()).rejects.toMatchObject({ code: 'upstream_failed' })
})

test('an error in the stream and one instead of it keep their code', async () => {
  const error = JSON.stringify({
    error: { message: 'It was too slow.', type: 't', code: 'upstream_timeout', param: null },
  })
  answerWith(streamOf(`event: error\ndata: ${error}\n\n`))
  await expect(askedFor()).rejects.toMatchObject({ code: 'upstream_timeout', message: 'It was too slow.' })
  answerWith(streamOf(error), { status: 504 })
  await expect(askedFor()).rejects.toMatchObject({ code: 'upstream_timeout' })
  answerWith(streamOf('<html>'), { status: 502 })
  await expect(askedFor()).rejects.toMatchObject({ code: 'internal' })
})
