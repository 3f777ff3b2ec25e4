import { afterAll, beforeAll, expect, test } from 'vitest'
import { chat, flagsToJoin, llmFlags, modelIds, untilListed } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'
import { type Engine, startEngine } from './engine.js'

const MODEL = 'tiny-random-llama'
const GENEROUS = { limitMs: 120_000 }

let engine: Engine
let provider: NodeProcess
let user: NodeProcess

const has = (event: string, who?: string): boolean =>
  engine.events.some((seen) => seen.event === event && seen.who === who)
const count = (event: string): number => engine.events.filter((seen) => seen.event === event).length

beforeAll(async () => {
  engine = await startEngine()
  provider = await startNodeProcess({ flags: ['--demo-model', 'off', ...llmFlags(engine.port)] })
  user = await startNodeProcess({ flags: ['--demo-model', 'off', ...flagsToJoin(provider)] })
  await untilListed(user.gateway, MODEL, 20_000)
})

afterAll(async () => {
  await user.stop()
  await provider.stop()
  await engine.stop()
})

const ask = (who: string, more: object = {}, init: RequestInit = {}): Promise<Response> =>
  chat(user.gateway, { model: MODEL, who, max_tokens: 32, ...more }, init)

/** A stream of which the first token has come. */
async function openStream(who: string): Promise<() => Promise<void>> {
  const abort = new AbortController()
  const response = await ask(who, { stream: true, max_tokens: 1_000_000_000 }, { signal: abort.signal })
  expect(response.status).toBe(200)
  const reader = response.body!.getReader()
  expect(new TextDecoder().decode((await reader.read()).value)).toContain('chat.completion.chunk')
  /** Read on, so that nobody takes the client for stalled. */
  const reading = (async () => {
    for (;;) if ((await reader.read()).done) return
  })().catch(() => undefined)
  return async () => {
    abort.abort()
    await reading
  }
}

test('an answer of a real engine streams through two nodes, token by token', async () => {
  const startedAt = performance.now()
  const response = await ask('first', { stream: true })
  const text = await response.text()
  const chunks = text.split('\n\n').filter((event) => event.includes('"content"'))
  process.stdout.write(`32 tokens through two nodes in ${Math.round(performance.now() - startedAt)} ms\n`)

  expect(response.headers.get('x-computing-node')).toBe(provider.peerId)
  expect(chunks).toHaveLength(32)
  expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true)
  expect(engine.events.find(({ event, who }) => event === 'finished' && who === 'first')).toMatchObject({ tokens: 32 })
  expect(await (await ask('whole')).json()).toMatchObject({ usage: { completion_tokens: 32 } })
})

test('a client that leaves frees the slot: the engine stops and serves the next', async () => {
  const leave = await openStream('leaver')
  const next = ask('next')
  await leave()

  await until(() => has('cancelled', 'leaver'), { what: 'the engine stops', ...GENEROUS })
  expect((await next).status).toBe(200)
  const order = engine.events.flatMap(({ event, who }) =>
    who === 'leaver' || who === 'next' ? [`${event} ${who}`] : [],
  )
  expect(order).toEqual(['started leaver', 'cancelled leaver', 'started next', 'finished next'])
})

test('an engine that is busy with one answer and deaf to checks is not withdrawn', async () => {
  const leave = await openStream('long')
  // A silent server may miss two checks; this one is looked at every 30 s, as one that is fine.
  await until(() => count('unanswered') >= 3, { what: 'three checks are unanswered', ...GENEROUS })

  expect(has('cancelled', 'long') || has('finished', 'long')).toBe(false)
  expect(await modelIds(provider.gateway)).toEqual([MODEL])
  expect(await modelIds(user.gateway)).toEqual([MODEL])
  const waiting = ask('waiting')
  await leave()
  expect((await waiting).status).toBe(200)
  expect(await modelIds(user.gateway)).toEqual([MODEL])
})
