import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createControlClient } from '../../src-main/api/client.js'
import { readBody, sseChunk, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { chat, llmFlags, startNodePair, untilListed, type NodePair } from '../fixtures/node-pair.js'
import type { NodeProcess } from '../fixtures/node-process.js'

const PROMPT = 'canary-of-a-prompt-7f3a'
const ANSWER = 'canary-of-an-answer-91bc'

let server: ModelServerFixture
let pair: NodePair

beforeAll(async () => {
  server = await startModelServer({
    async answer(request, response) {
      const body = (await readBody(request)).toString()
      if (body.includes('refuse')) response.writeHead(400, { 'content-type': 'text/plain' }).end(ANSWER)
      else if (body.includes('break')) {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(sseChunk(ANSWER))
        setImmediate(() => response.destroy())
      } else if (body.includes('"stream":true')) {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.end(`${sseChunk(ANSWER)}data: [DONE]\n\n`)
      } else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ choices: [ANSWER] }))
    },
  })
  pair = await startNodePair({
    flagsOfA: ['--log-level', 'trace'],
    serviceFlags: [...llmFlags(server.port), '--log-level', 'trace'],
  })
  await untilListed(pair.a.gateway, 'test-model')
})

afterAll(async () => {
  await pair.stop()
  await server.close()
})

/** What `chats.save` takes: a conversation with words that must be found nowhere. */
const CHATS = { conversations: [{ id: 'a-1', text: JSON.stringify({ asked: `${PROMPT} `, said: ANSWER }) }] }

/** Everything a node has on disk, has logged, and tells of what went through it. */
async function tracesOf(node: NodeProcess): Promise<Map<string, string>> {
  const traces = new Map([['standard error', node.stderr()]])
  for (const entry of await readdir(node.dataDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    // A store may put its files together meanwhile.
    traces.set(path, await readFile(path, 'latin1').catch(() => ''))
  }
  traces.set('metrics', await (await fetch(`${node.gateway}/metrics`)).text())
  const control = createControlClient({ controlFile: join(node.dataDir, 'control.json') })
  for (const [name, told] of Object.entries({
    'traffic.recent': await control.call('traffic.recent', { limit: 200 }),
    'logs.recent': await control.call('logs.recent', {}),
    'ledger.rows': await control.call('ledger.rows', { days: 30 }),
  })) {
    traces.set(name, JSON.stringify(told))
  }
  return traces
}

test('no prompt and no answer is kept or logged by either node, also where a request fails', async () => {
  for (const words of [PROMPT, `${PROMPT} refuse`, `${PROMPT} break`]) {
    for (const stream of [true, false]) {
      const response = await chat(pair.a.gateway, {
        ...{ model: 'test-model', stream },
        messages: [{ role: 'user', content: words }],
      })
      await response.text().catch(() => '')
    }
  }
  await chat(pair.a.gateway, { model: PROMPT }).then((response) => response.text())
  await fetch(`${pair.a.gateway}/v1/chat/completions`, { method: 'POST', body: `{"model":"test-model",${PROMPT} x` })

  for (const node of [pair.a, pair.b]) {
    for (const [where, text] of await tracesOf(node)) {
      expect({ where, holds: [ANSWER, `${PROMPT} `].filter((canary) => text.includes(canary)) }).toEqual({
        where,
        holds: [],
      })
    }
  }
})

test('no conversation of the chat page is kept while chats.keep is off, also where a page sends it', async () => {
  const control = createControlClient({ controlFile: join(pair.a.dataDir, 'control.json') })
  await expect(control.call('chats.save', CHATS)).rejects.toMatchObject({ code: 'invalid_request' })
  expect(await control.call('chats.load', {})).toMatchObject({ keep: false, stored: false, conversations: [] })
  expect((await readdir(pair.a.dataDir)).filter((name) => name.startsWith('chats'))).toEqual([])
  for (const [where, text] of await tracesOf(pair.a)) {
    expect({ where, holds: [ANSWER, `${PROMPT} `].some((canary) => text.includes(canary)) }).toEqual({
      where,
      holds: false,
    })
  }
})
