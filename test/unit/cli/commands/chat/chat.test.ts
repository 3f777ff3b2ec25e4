import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { EXIT } from '../../../../../src-main/cli/io.js'
import { cli } from '../../cli-fixture.js'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

type Answer = (response: ServerResponse, request: IncomingMessage & { text: string }) => void | Promise<void>

async function gateway(
  answer: Answer,
  { key = null, models = [], ...options }: Parameters<typeof cli>[0] & { key?: string | null; models?: string[] } = {},
) {
  const requests: { url?: string; json: unknown }[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const text = Buffer.concat(parts).toString()
      requests.push({ url: request.url, json: JSON.parse(text) })
      void answer(response, Object.assign(request, { text }))
    })
  }).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  const gatewayUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const answers = {
    ...{ 'node.status': { gatewayUrl }, 'keys.own': { key } },
    'models.list': models.map((id) => ({ id })),
  }
  return { requests, ...cli({ answers, ...options }) }
}

const SSE = { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Computing-Node': '12D3KooWPeer' }
const piece = (content: string) => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`

describe('ocf chat', () => {
  it.each([
    ['ocf_own', 'Bearer ocf_own'],
    [null, undefined],
  ])('ocf chat shows the key %s of this node’s commands where the gateway asks for one', async (key, shown) => {
    let authorization: string | undefined
    const answer: Answer = (response, request) => {
      authorization = request.headers.authorization
      response.writeHead(200, SSE).end(`${piece('Hi')}data: [DONE]\n\n`)
    }
    const { run } = await gateway(answer, { key })
    expect(await run('chat', 'gpt2', 'Hello')).toBe(EXIT.ok)
    expect(authorization).toBe(shown)
  })

  it('prints the answer as it comes and then who gave it and how fast', async () => {
    let printedFirst = false
    const { run, requests, output, errors } = await gateway(async (response) => {
      response.writeHead(200, SSE)
      response.write(': waiting\n\n')
      response.write('data: {"choices":[{"delta":{"role":"assistant"}}]}\n\n')
      response.write(piece('Hel'))
      while (output() === '') await new Promise((resolve) => setImmediate(resolve))
      printedFirst = output() === 'Hel'
      const bytes = Buffer.from(piece('lo \u{1f600}'))
      response.write(bytes.subarray(0, bytes.length - 8)) // in the middle of a character and of an event
      response.write(bytes.subarray(bytes.length - 8))
      response.end('data: {"choices":[],"usage":{"completion_tokens":7}}\r\n\r\ndata: [DONE]\n\n')
    })
    expect(await run('chat', 'org/gpt2', 'Say hello')).toBe(EXIT.ok)
    expect(printedFirst).toBe(true)
    expect(output()).toBe('Hello \u{1f600}\n')
    expect(errors()).toMatch(
      /^answered by 12D3KooWPeer · 7 tokens · [\d.,]+ tokens\/s · first token after [\d.<]+ m?s\n$/,
    )
    expect(requests).toEqual([
      {
        url: '/v1/chat/completions',
        json: { model: 'org/gpt2', messages: [{ role: 'user', content: 'Say hello' }], stream: true },
      },
    ])
  })

  it('takes an answer that does not stream', async () => {
    const { run, output } = await gateway((response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' })
      response.end('{"choices":[{"message":{"content":"whole"}}],"usage":{"completion_tokens":1}}')
    })
    expect(await run('chat', 'm', 't')).toBe(EXIT.ok)
    expect(output()).toBe('whole\n')
  })

  it("shows the gateway's sentence and code", async () => {
    const { run, output, errors } = await gateway((response) => {
      response.writeHead(404, { 'Content-Type': 'application/json' })
      response.end('{"error":{"message":"Nobody offers m. Near: n.","type":"x","code":"model_not_found","param":null}}')
    })
    expect(await run('chat', 'm', 't')).toBe(EXIT.failed)
    expect(output()).toBe('')
    expect(errors()).toBe('error: Nobody offers m. Near: n. (model_not_found)\n')
  })

  it('tells the status of something that is no gateway', async () => {
    const { run, errors } = await gateway((response) => {
      response.writeHead(502, { 'Content-Type': 'text/html' })
      response.end('<html>')
    })
    expect(await run('chat', 'm', 't')).toBe(EXIT.failed)
    expect(errors()).toBe('error: The gateway answered with status 502. (status 502)\n')
  })

  it('shows an error in the middle of the answer', async () => {
    const { run, output, errors } = await gateway((response) => {
      response.writeHead(200, SSE)
      response.write(piece('Hel'))
      response.end('event: error\ndata: {"error":{"message":"The peer left.","code":"upstream_failed"}}\n\n')
    })
    expect(await run('chat', 'm', 't')).toBe(EXIT.failed)
    expect([output(), errors()]).toEqual(['Hel\n', 'error: The peer left. (upstream_failed)\n'])
  })

  it.each([
    ['ends without [DONE]', (response: ServerResponse) => response.end()],
    ['is reset', (response: ServerResponse) => response.destroy()],
  ])('says that an answer broke off when it %s', async (_, breakOff) => {
    const { run, output, errors } = await gateway(async (response) => {
      response.writeHead(200, SSE)
      response.write(piece('Hel'))
      while (output() === '') await new Promise((resolve) => setImmediate(resolve))
      breakOff(response)
    })
    expect(await run('chat', 'm', 't')).toBe(EXIT.failed)
    expect(output()).toMatch(/^Hel\n?$/)
    expect(errors()).toBe('error: The answer broke off before its end. Ask again. (upstream_failed)\n')
  })

  it('ends the request on Ctrl-C, before and during the answer', async () => {
    for (const started of [false, true]) {
      let closed: Promise<unknown> | undefined
      const { run, interrupts, errors, requests } = await gateway((response) => {
        closed = once(response, 'close')
        if (started) {
          response.writeHead(200, SSE)
          response.write(piece('Hel'))
        }
      })
      const code = run('chat', 'm', 't')
      await expect.poll(() => requests.length).toBe(1)
      for (const interrupt of interrupts) interrupt()
      expect(await code).toBe(EXIT.interrupted)
      expect(errors()).toBe('\nstopped\n')
      await closed
      expect(interrupts.size).toBe(0)
    }
  })

  it('keeps escape sequences of a model from a terminal, and leaves a file as it was answered', async () => {
    const answer: Answer = (response) => {
      response.writeHead(200, SSE)
      response.end(`${piece('a\u001b[2Jb\n\tc')}data: [DONE]\n\n`)
    }
    const terminal = await gateway(answer, { tty: true })
    await terminal.run('chat', 'm', 't')
    expect(terminal.output()).toBe('a\\u001b[2Jb\n\tc\n')
    const file = await gateway(answer)
    await file.run('chat', 'm', 't')
    expect(file.output()).toBe('a\u001b[2Jb\n\tc\n')
  })

  it('takes a text that begins with a dash behind --, and says where there is none', async () => {
    const { run, requests } = await gateway((response) => {
      response.writeHead(200, SSE)
      response.end('data: [DONE]\n\n')
    })
    expect(await run('chat', 'm', '--', '--help me')).toBe(EXIT.ok)
    expect(requests[0]?.json).toMatchObject({ messages: [{ content: '--help me' }] })
    const { run: again, errors } = await gateway(() => undefined)
    expect(await again('chat', 'm')).toBe(EXIT.usage)
    expect(errors()).toBe('error: There is no text to send. Put it behind the model. (invalid_settings)\n')
  })

  it('waits for no gateway that is not there', async () => {
    const { run, errors } = cli({ answers: { 'node.status': { gatewayUrl: null } } })
    expect(await run('chat', 'm', 't')).toBe(EXIT.failed)
    expect(errors()).toContain("The node's gateway is not listening yet.")
  })

  const sample = (name: string): string =>
    readFileSync(join(import.meta.dirname, '..', '..', '..', '..', 'fixtures', 'cases', name), 'utf8')

  it('shows an error whose code is a number, in place of a success', async () => {
    const { run, output, errors } = await gateway((response) => {
      response.writeHead(200, SSE).end(sample('09-error-numeric-code.sse'))
    })
    expect(await run('chat', 'm', 'Hello')).toBe(EXIT.failed)
    expect(output()).toBe('part\n')
    expect(errors()).toBe('error: engine died (500)\n')
  })

  it('takes an answer that gives a reason for its end, and no [DONE], for whole', async () => {
    const { run, output } = await gateway((response) => {
      response.writeHead(200, { 'Content-Type': 'Text/Event-Stream' }).end(sample('10-no-done.sse'))
    })
    expect(await run('chat', 'm', 'Hello')).toBe(EXIT.ok)
    expect(output()).toBe('whole\n')
  })

  it.each(['data: {"choices":null}\n\n', 'data: {"choices":[{"del\n\n', 'data: no JSON\n\n', ''])(
    'says that %j broke off, and shows no stack',
    async (body) => {
      const { run, errors } = await gateway((response) => void response.writeHead(200, SSE).end(body))
      expect(await run('chat', 'm', 'Hello')).toBe(EXIT.failed)
      expect(errors()).toContain('broke off')
      expect(errors()).not.toContain('    at ')
    },
  )

  it('ocf test calls an engine’s error, an empty answer and one without an end a failure', async () => {
    const bodies = [sample('09-error-numeric-code.sse'), 'data: [DONE]\n\n', piece('Hi'), sample('10-no-done.sse')]
    const results: [number, string][] = []
    for (const body of bodies) {
      const { run, output } = await gateway((response) => void response.writeHead(200, SSE).end(body))
      const exit = await run('test', 'm')
      results.push([exit, output().split('\n', 1)[0] ?? ''])
    }
    expect(results).toEqual([
      [EXIT.failed, 'm does not answer: engine died (500)'],
      [EXIT.failed, 'm does not answer: The answer is empty: not one token came. (status 200)'],
      [EXIT.failed, 'm does not answer: The answer broke off before its end. (upstream_failed)'],
      [EXIT.ok, 'm answers: "whole"'],
    ])
  })
})

describe('ocf chat without a text', () => {
  const echo: Answer = (response, { text }) => {
    const { messages } = JSON.parse(text) as { messages: { content: string }[] }
    response.writeHead(200, SSE).end(`${piece(`(${messages.at(-1)!.content})`)}data: [DONE]\n\n`)
  }
  const sent = (requests: { json: unknown }[]) =>
    requests.map(({ json }) => json as { model: string; messages: { role: string; content: string }[] })

  it('sends what is piped in, whole, and nothing where that is empty', async () => {
    const { run, requests } = await gateway(echo, { piped: 'a long\ntext\n' })
    expect(await run('chat', 'm')).toBe(EXIT.ok)
    expect(await run('chat', 'm', '-')).toBe(EXIT.ok)
    expect(sent(requests).map(({ messages }) => messages[0]?.content)).toEqual(['a long\ntext', 'a long\ntext'])
    const empty = await gateway(echo, { piped: ' \n' })
    expect(await empty.run('chat', 'm')).toBe(EXIT.usage)
    expect(empty.errors()).toContain('What came by the pipe is empty')
    expect(empty.requests).toEqual([])
  })

  it('takes the only model there is, and lists them where there are more', async () => {
    const one = await gateway(echo, { models: ['org/one'] })
    expect(await one.run('chat', '--', '')).toBe(EXIT.usage)
    const piped = await gateway(echo, { models: ['org/one'], piped: 'hi' })
    expect(await piped.run('chat')).toBe(EXIT.ok)
    expect(sent(piped.requests)[0]?.model).toBe('org/one')
    const two = await gateway(echo, { models: ['a', 'b\u202e'], piped: 'hi' })
    expect(await two.run('chat')).toBe(EXIT.usage)
    expect(two.errors()).toContain('Say which model, as in `ocf chat MODEL`: a, b')
    expect(two.errors()).not.toContain('\u202e')
    const none = await gateway(echo, { piped: 'hi' })
    expect(await none.run('chat')).toBe(EXIT.failed)
    expect(none.errors()).toContain('No model is available yet.')
  })

  it('holds a conversation at a terminal, with what was said before, until Ctrl-D', async () => {
    const typed = [
      'one',
      '',
      'two \\',
      'and three',
      '/system Be brief',
      'four',
      '/new',
      '/model other',
      'five',
      '/help',
    ]
    const { run, requests, output } = await gateway(echo, { tty: true, typed })
    expect(await run('chat', 'm')).toBe(EXIT.ok)
    const [first, second, third, fourth] = sent(requests)
    expect(first).toMatchObject({ model: 'm', messages: [{ role: 'user', content: 'one' }] })
    expect(second?.messages).toEqual([
      { role: 'user', content: 'one' },
      { role: 'assistant', content: '(one)' },
      { role: 'user', content: 'two \nand three' },
    ])
    expect(third?.messages[0]).toEqual({ role: 'system', content: 'Be brief' })
    expect(third?.messages).toHaveLength(6)
    expect(fourth).toMatchObject({ model: 'other', messages: [{ role: 'system' }, { role: 'user', content: 'five' }] })
    expect(fourth?.messages).toHaveLength(2)
    expect(output()).toContain('/model NAME')
    expect(requests).toHaveLength(4)
  })

  it('goes on after an error and after an answer that was stopped, and ends with /exit', async () => {
    let stop = (): void => undefined
    const answer: Answer = async (response, request) => {
      if (request.text.includes('fail')) {
        response.writeHead(404, { 'Content-Type': 'application/json' })
        response.end('{"error":{"message":"Nobody offers m.","type":"x","code":"model_not_found","param":null}}')
      } else if (request.text.includes('slow') && !request.text.includes('after')) {
        response.writeHead(200, SSE)
        response.write(piece('part'))
        while (!chat.output().includes('part')) await new Promise((resolve) => setImmediate(resolve))
        stop()
      } else await echo(response, request)
    }
    const chat = await gateway(answer, { tty: true, typed: ['fail', 'slow', 'after', '/exit', 'never'] })
    stop = () => chat.interrupts.forEach((interrupt) => interrupt())
    expect(await chat.run('chat', 'm')).toBe(EXIT.ok)
    expect(chat.errors()).toContain('error: Nobody offers m. (model_not_found)\n')
    expect(chat.errors()).toContain('stopped')
    expect(
      sent(chat.requests)
        .at(-1)
        ?.messages.map(({ content }) => content),
    ).toEqual(['slow', 'part', 'after'])
    expect(chat.requests).toHaveLength(3)
  })
})
