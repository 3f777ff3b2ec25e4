import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readBody, sseChunk, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { chat, flagsToJoin, llmFlags, modelIds } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { startOwnNode, type OwnNode } from '../fixtures/own-node.js'
import { until } from '../fixtures/until.js'

/** What the model does that two of the providers have; how often it answered at once before it hangs. */
const HANGS = 'hangs'
const ANSWERED = 12
/** Models that are always late at their two providers: each was asked so rarely that nothing is known of it. */
const LATE_MODELS = Array.from({ length: 40 }, (_, number) => `late-${number}`)
const MODELS_AT_ONCE = 5
const REQUESTS_EACH = 5
/** Long beside what a stranger is expected to take. */
const LATE_MS = 900
/** Before this nobody else would be asked for a request that hangs. */
const PATIENCE_MS = 60_000

/** A provider whose server counts what it is asked, and hangs where the test wants it to. */
interface Provider {
  node: NodeProcess
  server: ModelServerFixture
  asked: number
  hangs: boolean
  /** Requests whose client went away before there was an answer. */
  left: number
}

let user: OwnNode
/** Requests that this file has sent so far. */
let sent = 0
let providers: Provider[] = []
const single = (): Provider => providers[0] as Provider
const other = (): Provider => providers[1] as Provider

async function startProvider(models: string[], flags: string[]): Promise<Provider> {
  const provider = { asked: 0, left: 0, hangs: false } as Provider
  provider.server = await startModelServer({
    models,
    async answer(request, response) {
      const { model } = JSON.parse((await readBody(request)).toString()) as { model: string }
      provider.asked += 1
      response.once('close', () => {
        if (!response.writableFinished) provider.left += 1
      })
      if (provider.hangs && model === HANGS) return
      if (model !== HANGS) await pause(LATE_MS)
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`${sseChunk('word')}data: [DONE]\n\n`)
    },
  })
  const [first] = providers
  const join = first === undefined ? [] : flagsToJoin(first.node)
  provider.node = await startNodeProcess({
    flags: ['--demo-model', 'off', ...join, ...llmFlags(provider.server.port), ...flags],
  })
  return provider
}

beforeAll(async () => {
  providers = [await startProvider([HANGS], ['--limits.concurrent', '1', '--limits.queue', '0'])]
  const roomy = ['--limits.concurrent', '32']
  providers.push(await startProvider([HANGS, ...LATE_MODELS], roomy), await startProvider(LATE_MODELS, roomy))
  user = await startOwnNode(
    {
      'demo-model': 'off',
      'bootstrap.sources': `${single().node.gateway}/v1/dnt/bootstraps`,
      'trusted-peers': providers.map(({ node }) => node.peerId).join(','),
    },
    { patience: { floorMs: PATIENCE_MS, unknownStreamedMs: PATIENCE_MS, unknownWholeMs: PATIENCE_MS } },
  )
  await until(
    async () => {
      const response = await fetch(`${user.gateway}/v1/models`)
      const { data } = (await response.json()) as { data: { id: string; ocf: { providers: number } }[] }
      const known = data.filter(({ ocf }) => ocf.providers === 2)
      return known.length === LATE_MODELS.length + 1
    },
    { what: 'both providers of each model are known', limitMs: 30_000 },
  )
})

afterAll(async () => {
  await user.stop()
  await Promise.all(providers.map(({ node }) => node.stop()))
  await Promise.all(providers.map(({ server }) => server.close()))
})

/** A streamed request, to that provider first where one is given; who answered, and of how many attempts. */
async function stream(model: string, prefer?: Provider): Promise<{ by: string; tries: number; status: number }> {
  sent += 1
  const response = await chat(
    user.gateway,
    // Equal questions would look like one that goes in circles, and the server would be asked about that.
    { model, stream: true, messages: [{ role: 'user', content: `Question ${sent}` }] },
    {
      headers: {
        'content-type': 'application/json',
        ...(prefer === undefined ? {} : { 'x-ocf-prefer': prefer.node.peerId }),
      },
      signal: AbortSignal.timeout(PATIENCE_MS / 2),
    },
  )
  await response.text()
  const by = response.headers.get('x-computing-node') ?? ''
  return { by, tries: Number(response.headers.get('x-ocf-tries')), status: response.status }
}

describe('a stream whose first token is later than it nearly ever was', () => {
  test('is answered by the second provider, and the slot at the first is free again', async () => {
    expect(await modelIds(user.gateway)).toContain(HANGS)
    for (let count = 0; count < ANSWERED; count += 1) {
      for (const provider of [single(), other()]) expect((await stream(HANGS, provider)).status).toBe(200)
    }
    single().hangs = true
    const began = performance.now()
    expect(await stream(HANGS, single())).toEqual({ by: other().node.peerId, tries: 2, status: 200 })
    expect(performance.now() - began).toBeLessThan(PATIENCE_MS / 4)
    await until(() => single().left === 1, { what: 'the first provider’s server was left' })
    // It has one slot and no queue: whoever gets it was let in at once.
    single().hangs = false
    await until(async () => (await stream(HANGS, single())).by === single().node.peerId, { what: 'its slot is free' })
  })

  test('goes to a second provider one time in twenty at most, though each of two hundred is late', async () => {
    for (let first = 0; first < LATE_MODELS.length; first += MODELS_AT_ONCE) {
      const models = LATE_MODELS.slice(first, first + MODELS_AT_ONCE)
      const requests = models.flatMap((model) => Array.from({ length: REQUESTS_EACH }, () => stream(model)))
      const answers = await Promise.all(requests)
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    }
    expect(sent).toBeGreaterThanOrEqual(LATE_MODELS.length * REQUESTS_EACH)
    // What the requests of the test before have earned may be used by these.
    const second = providers.reduce((sum, { asked }) => sum + asked, 0) - sent
    expect(second).toBeGreaterThan(1)
    expect(second).toBeLessThanOrEqual(0.05 * sent)
  })
})
