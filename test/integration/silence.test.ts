import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inLongRun } from '../fixtures/long-run.js'
import { startActingServer, type Act, type ActingServer } from '../fixtures/model-servers/acting-server.js'
import { llmFlags } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

// A process that is stopped is like a machine that was unplugged, and worse: its kernel goes on to answer TCP.

const MODEL = 'shared'
/** What the network promises; requests that wait for a silent peer end before. */
const NOTICED_WITHIN_MS = 15_000

interface Provider {
  node: NodeProcess
  server: ActingServer
}

const TRANSPORTS = {
  tcp: (address: string) => address.includes('/tcp/') && !address.includes('/ws'),
  ws: (address: string) => address.includes('/ws'),
  quic: (address: string) => address.includes('/quic-v1'),
}

/** WebSockets carry what TCP does. */
describe.each(inLongRun(['tcp', 'ws', 'quic'] as const, ['tcp', 'quic'] as const))('over %s', (transport) => {
  let user: NodeProcess
  let one: Provider
  let two: Provider

  async function startProvider(): Promise<Provider> {
    const server = await startActingServer([MODEL])
    return { server, node: await startNodeProcess({ flags: ['--demo-model', 'off', ...llmFlags(server.port)] }) }
  }

  beforeAll(async () => {
    ;[one, two] = await Promise.all([startProvider(), startProvider()])
    const addresses = [one, two].map(({ node }) => node.multiaddrs.find(TRANSPORTS[transport])!)
    user = await startNodeProcess({
      flags: ['--demo-model', 'off', ...addresses.flatMap((address) => ['--bootstrap.addr', address])],
    })
    await until(async () => (await providers()) === 2, { what: 'both providers are known', limitMs: 30_000 })
  })

  afterAll(async () => {
    await Promise.all([user, one.node, two.node].map((node) => node.stop()))
    await Promise.all([one, two].map(({ server }) => server.close()))
  })

  async function providers(): Promise<number> {
    const { data } = (await (await fetch(`${user.gateway}/v1/models`)).json()) as {
      data: { id: string; ocf: { providers: number } }[]
    }
    return data.find(({ id }) => id === MODEL)?.ocf.providers ?? 0
  }

  const ask = (preferred: Provider, body: { act?: Act; stream?: boolean } = {}): Promise<Response> =>
    fetch(`${user.gateway}/v1/chat/completions`, {
      ...{ method: 'POST', body: JSON.stringify({ model: MODEL, messages: [], ...body }) },
      headers: { 'content-type': 'application/json', 'x-ocf-prefer': preferred.node.peerId },
    })

  async function whoAnswers(preferred: Provider): Promise<string | null> {
    const response = await ask(preferred)
    await response.text()
    return response.status === 200 ? response.headers.get('x-computing-node') : null
  }

  async function pathTo({ node }: Provider): Promise<unknown> {
    const { peers } = (await (await fetch(`${user.gateway}/v1/dnt/peers_status`)).json()) as {
      peers: { id: string; paths?: unknown }[]
    }
    return JSON.stringify(peers.find(({ id }) => id === node.peerId))
  }

  test('a provider that falls silent is replaced, a stream of it ends in an error, and later it is used again', async () => {
    expect(await whoAnswers(one)).toBe(one.node.peerId)
    expect(await pathTo(one)).toContain(`direct-${transport}`)
    // An honest provider may think for as long as it likes.
    const thinking = ask(two, { act: 'hold' })
    await until(() => two.server.held() === 1, { what: 'the other provider thinks' })
    const waiting = ask(one, { act: 'hold' })
    await until(() => one.server.held() === 1, { what: 'the provider has a request to answer' })
    const stream = await ask(one, { act: 'silent', stream: true })
    expect(stream.headers.get('x-computing-node')).toBe(one.node.peerId)
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
    const piece = await reader.read()

    process.kill(one.node.pid, 'SIGSTOP')
    const stoppedAt = performance.now()
    try {
      const fresh = whoAnswers(one)
      // The request that waited for its headers has gone on to the other provider.
      await until(() => two.server.held() === 2, { what: 'the other provider has it', limitMs: NOTICED_WITHIN_MS })
      expect(await fresh).toBe(two.node.peerId)
      let rest = ''
      for (let part = await reader.read(); !part.done; part = await reader.read()) rest += part.value
      expect(piece.value).toContain('piece')
      expect(rest).toMatch(/^event: error\ndata: \{[^\n]*"upstream_failed"[^\n]*\}\n\n$/)
      expect(performance.now() - stoppedAt).toBeLessThan(NOTICED_WITHIN_MS)
    } finally {
      process.kill(one.node.pid, 'SIGCONT')
    }
    expect(user.stderr().match(/its other end stopped answering/g)).toHaveLength(1)
    await until(async () => (await whoAnswers(one)) === one.node.peerId, {
      what: 'the provider is used again',
      limitMs: 30_000,
      everyMs: 200,
    })
    two.server.release()
    const answers = await Promise.all([waiting, thinking])
    expect(answers.map(({ headers }) => headers.get('x-computing-node'))).toEqual([two.node.peerId, two.node.peerId])
    expect(answers.map(({ headers }) => headers.get('x-ocf-tries'))).toEqual(['2', '1'])
    for (const answer of answers) expect(await answer.json()).toMatchObject({ done: true })
  })
})
