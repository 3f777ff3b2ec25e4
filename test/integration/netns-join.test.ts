import { expect } from 'vitest'
import { labTest } from '../fixtures/lab-test.js'
import { type LabHost, type LabNode, type NetLab, symmetricNat, twoHomes } from '../fixtures/net-lab.js'
import { until } from '../fixtures/until.js'

/** Guests that join one after the other in each network, each a new node. */
const TRIES = Number(process.env['OCF_TRIES'] ?? 1)
/** A guest takes seconds where nothing else runs, and far longer on a busy machine. */
const TIMEOUT_MS = 240_000 + TRIES * 90_000
/** From the pasted line to the first token, on a machine that has other work. */
const LIMIT_MS = 60_000

/** A model server that answers with three tokens. */
const MODEL = `
require('node:http').createServer((request, response) => {
  if (request.method === 'GET') {
    response.setHeader('content-type', 'application/json')
    return response.end(JSON.stringify({ object: 'list', data: [{ id: 'tiny', object: 'model', created: 1, owned_by: 'lab' }] }))
  }
  request.resume().on('end', () => {
    response.setHeader('content-type', 'text/event-stream')
    for (const content of ['Hello ', 'from ', 'tiny'])
      response.write('data: ' + JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'tiny', choices: [{ index: 0, delta: { content }, finish_reason: null }] }) + '\\n\\n')
    response.end('data: [DONE]\\n\\n')
  })
}).listen(9000, '127.0.0.1', () => console.log('ready'))
`

/** Nothing finds the other but the invite. */
const ALONE = ['--upnp', 'false', '--mdns', 'false']

async function shareWithTrusted(lab: NetLab, host: LabHost, flags: string[] = []): Promise<LabNode> {
  await lab.server(host, MODEL)
  const inviter = await lab.node(host, [...ALONE, ...flags])
  expect((await inviter.ocf('share', '9000', '--model', 'tiny', '--with', 'trusted')).code).toBe(0)
  return inviter
}

/** Guests join by an invite and ask the inviter's model, all by the command line. */
async function joinAndAsk(lab: NetLab, name: string, inviter: LabNode, guestHost: LabHost): Promise<void> {
  const times: number[] = []
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const guest = await lab.node(guestHost, ALONE)
    expect((await guest.ocf('models')).stdout).not.toContain('tiny')
    const invite = (await inviter.ocf('invite')).stdout.trim()
    const startedMs = performance.now()
    const joined = await guest.ocf('join', invite)
    expect(joined).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^You and .+ trust each other now/) as string,
    })
    const answer = await until(
      async () => {
        const { code, stdout } = await guest.ocf('chat', 'tiny', 'hello')
        return code === 0 ? stdout : undefined
      },
      { what: 'the inviter’s model answers', limitMs: LIMIT_MS, everyMs: 100 },
    )
    times.push(performance.now() - startedMs)
    expect(answer).toContain('Hello from tiny')
    await guest.stop()
  }
  times.sort((a, b) => a - b)
  const seconds = (ms: number | undefined): string => `${((ms ?? 0) / 1000).toFixed(1)} s`
  process.stdout.write(
    `join, ${name}: ${times.length} of ${TRIES}, median ${seconds(times[times.length >> 1])}, worst ${seconds(times.at(-1))}\n`,
  )
  expect(times.at(-1)).toBeLessThan(LIMIT_MS)
}

/** An invite of a node that has no way in holds nothing before it has a reservation at a relay. */
async function untilRelayed(lab: NetLab, node: LabNode): Promise<void> {
  const hasRelay = async () =>
    (await lab.fetch(node.host, `${node.gateway}/v1/dnt/bootstraps`)).text.includes('p2p-circuit')
  await until(hasRelay, { what: 'it has a reservation at a relay', limitMs: 90_000, everyMs: 200 })
}

labTest(
  'a pasted invite leads to the first token of the other’s model in one LAN',
  { timeout: TIMEOUT_MS },
  async ({ lab }) => {
    const lan = lab.lan('lan')
    const [a, b] = ['a', 'b'].map((name, index) => {
      const host = lab.host(name)
      lan.plug(host, [`192.168.7.${index + 1}/24`])
      return host
    })
    await joinAndAsk(lab, 'one LAN', await shareWithTrusted(lab, a!), b!)
  },
)

labTest(
  'a pasted invite leads to the first token of the other’s model with IPv6 only',
  { timeout: TIMEOUT_MS },
  async ({ lab }) => {
    const lan = lab.lan('six')
    const [a, b] = ['a', 'b'].map((name, index) => {
      const host = lab.host(name)
      lan.plug(host, [`fd00:7::${index + 1}/64`])
      return host
    })
    await joinAndAsk(lab, 'IPv6 only', await shareWithTrusted(lab, a!), b!)
  },
)

for (const [name, nat] of [
  ['two NATs and a public node', undefined],
  ['symmetric NATs and a relay', symmetricNat],
] as const) {
  labTest(
    `a pasted invite leads to the first token of the other’s model behind ${name}`,
    { timeout: TIMEOUT_MS },
    async ({ lab }) => {
      const { a, b, publicHost } = twoHomes(lab, nat)
      const hub = publicHost('hub', '5.0.0.10')
      await lab.node(hub, [...ALONE, '--public-addr', '5.0.0.10'])
      const inviter = await shareWithTrusted(lab, a.host)
      expect((await inviter.ocf('join', '5.0.0.10')).code).toBe(0)
      await untilRelayed(lab, inviter)
      await joinAndAsk(lab, name, inviter, b.host)
    },
  )
}
