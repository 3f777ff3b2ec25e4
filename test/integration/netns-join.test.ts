import { resolve } from 'node:path'
import { expect } from 'vitest'
import type { CallOutput } from '#shared/contract/index.js'
import { launchChromium, noChromium } from '../fixtures/chromium/launch.js'
import { labTest } from '../fixtures/lab-test.js'
import { inLongRun } from '../fixtures/long-run.js'
import { type LabHost, type LabNode, type NetLab, symmetricNat, twoHomes } from '../fixtures/net-lab.js'
import { until } from '../fixtures/until.js'

/** Guests that join one after the other in each network, each a new node. */
const TRIES = Number(process.env['OCF_TRIES'] ?? inLongRun(5, 1))
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

/** How a guest joins: resolves with what the inviter's model answered, its first token at the latest. */
interface Way {
  name: string
  /** Before the time is taken. */
  prepare(guest: LabNode): Promise<unknown>
  join(guest: LabNode, invite: string): Promise<string>
  close(): Promise<unknown>
}

function byCommand(): Way {
  return {
    name: 'by the command line',
    prepare: () => Promise.resolve(),
    async join(guest, invite) {
      const joined = await guest.ocf('join', invite)
      expect(joined, joined.stderr).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^You and .+ trust each other now/) as string,
      })
      return await until(
        async () => {
          const { code, stdout } = await guest.ocf('chat', 'tiny', 'hello')
          return code === 0 ? stdout : undefined
        },
        { what: 'the inviter’s model answers', limitMs: LIMIT_MS, everyMs: 100 },
      )
    },
    close: () => Promise.resolve(),
  }
}

/** In a browser at the guest's host: its dashboard is open when the line is pasted. */
async function byBrowser({ namespace }: LabHost): Promise<Way> {
  const browser = await launchChromium({ namespace })
  browser.context.setDefaultTimeout(LIMIT_MS)
  let page = await browser.context.newPage()
  const goTo = (hash: string): Promise<void> => page.evaluate(`void (location.hash = ${JSON.stringify(hash)})`)
  return {
    name: 'in a browser',
    async join(guest, invite) {
      const card = page.getByRole('region', { name: 'Join someone' })
      await card.getByRole('textbox', { name: 'Invite or address' }).focus()
      await page.keyboard.insertText(invite)
      await page.keyboard.press('Enter')
      await card.getByRole('button', { name: /^Join / }).click()
      const said = card.getByRole('status').filter({ has: page.getByRole('button', { name: 'Close' }) })
      expect(await said.innerText()).toContain('trust each other now.')
      // Nobody picks a model that is not in the list yet.
      await until(async () => ((await guest.call('models.list')) as { id: string }[]).some(({ id }) => id === 'tiny'), {
        ...{ what: 'the model is listed', limitMs: LIMIT_MS, everyMs: 100 },
      })
      await goTo('#/chat/tiny')
      await page.getByRole('textbox', { name: 'Message' }).fill('hello')
      await page.keyboard.press('Enter')
      const log = page.getByRole('log', { name: 'Conversation' })
      await log.getByText('Hello', { exact: false }).last().waitFor()
      return await until(async () => /Hello from tiny/.exec(await log.innerText())?.[0], { what: 'it has answered' })
    },
    close: () => browser.close(),
    async prepare(guest) {
      // Another node's dashboard has the same address but for its fragment, which loads nothing anew.
      await page.close()
      page = await browser.context.newPage()
      await page.goto(guest.dashboard)
      await page.getByTestId('base-url').waitFor()
      await goTo('#/network')
      await page.getByRole('textbox', { name: 'Invite or address' }).waitFor()
    },
  }
}

/** Guests join by an invite and ask the inviter's model. */
async function joinAndAsk(
  lab: NetLab,
  name: string,
  { inviter, guestHost, way, program }: { inviter: LabNode; guestHost: LabHost; way: Way; program?: readonly string[] },
): Promise<void> {
  const times: number[] = []
  try {
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const guest = await lab.node(guestHost, ALONE, {}, program)
      expect(await guest.call('models.list')).toEqual([])
      const { text: invite } = (await inviter.call('people.invite')) as CallOutput<'people.invite'>
      await way.prepare(guest)
      const startedMs = performance.now()
      expect(await way.join(guest, invite)).toContain('Hello from tiny')
      times.push(performance.now() - startedMs)
      await guest.stop()
    }
  } finally {
    await way.close()
    report(name, way.name, times)
  }
  expect(Math.max(...times)).toBeLessThan(LIMIT_MS)
}

function report(network: string, way: string, times: readonly number[]): void {
  const sorted = [...times].sort((a, b) => a - b)
  const seconds = (ms: number | undefined): string => `${((ms ?? 0) / 1000).toFixed(1)} s`
  process.stdout.write(
    `join, ${network}, ${way}: ${sorted.length} of ${TRIES}, median ${seconds(sorted[sorted.length >> 1])}, worst ${seconds(sorted.at(-1))}\n`,
  )
}

/** An invite of a node that has no way in holds nothing before it has a reservation at a relay. */
async function untilRelayed(lab: NetLab, node: LabNode): Promise<void> {
  const hasRelay = async () =>
    (await lab.fetch(node.host, `${node.gateway}/v1/dnt/bootstraps`)).text.includes('p2p-circuit')
  await until(hasRelay, { what: 'it has a reservation at a relay', limitMs: 90_000, everyMs: 200 })
}

/** A network with an inviter and the host of its guests. */
type Place = (lab: NetLab) => Promise<{ inviter: LabNode; guestHost: LabHost }>

const lanOf =
  (addressOf: (index: number) => string): Place =>
  async (lab) => {
    const lan = lab.lan('lan')
    const [a, b] = ['a', 'b'].map((name, index) => {
      const host = lab.host(name)
      lan.plug(host, [addressOf(index + 1)])
      return host
    })
    return { inviter: await shareWithTrusted(lab, a!), guestHost: b! }
  }

const homesBehind =
  (nat?: Parameters<typeof twoHomes>[1]): Place =>
  async (lab) => {
    const { a, b, publicHost } = twoHomes(lab, nat)
    const hub = publicHost('hub', '5.0.0.10')
    await lab.node(hub, [...ALONE, '--public-addr', '5.0.0.10'])
    const inviter = await shareWithTrusted(lab, a.host)
    expect((await inviter.ocf('join', '5.0.0.10')).code).toBe(0)
    await untilRelayed(lab, inviter)
    return { inviter, guestHost: b.host }
  }

const PLACES: readonly [where: string, place: Place][] = [
  ['in one LAN', lanOf((index) => `192.168.7.${index}/24`)],
  ['with IPv6 only', lanOf((index) => `fd00:7::${index}/64`)],
  ['behind two NATs and a public node', homesBehind()],
  ['behind symmetric NATs and a relay', homesBehind(symmetricNat)],
]

for (const [where, place] of PLACES) {
  labTest(
    `a pasted invite leads to the first token of the other’s model ${where}`,
    { timeout: TIMEOUT_MS },
    async ({ lab }) => {
      await joinAndAsk(lab, where, { ...(await place(lab)), way: byCommand() })
    },
  )
}

const browserTest = noChromium === undefined ? labTest : labTest.skip

/** A browser takes most of a processor: once is enough where not everything is measured. */
for (const [where, place] of PLACES.slice(0, TRIES === 1 ? 1 : undefined)) {
  browserTest(
    `an invite pasted into the dashboard leads to the first token of the other’s model ${where}`,
    { timeout: TIMEOUT_MS },
    async ({ lab }) => {
      const { inviter, guestHost } = await place(lab)
      await joinAndAsk(lab, where, { inviter, guestHost, way: await byBrowser(guestHost) })
    },
  )
}

/** As an installed checkout is started; without a display it runs in the terminal. */
const NPM_START = ['npm', '--silent', '--prefix', resolve(import.meta.dirname, '..', '..'), 'start', '--']

browserTest(
  'an invite pasted into the dashboard of a node that npm start runs leads to the first token',
  { timeout: TIMEOUT_MS },
  async ({ lab }) => {
    const { inviter, guestHost } = await PLACES[0]![1](lab)
    const way = await byBrowser(guestHost)
    await joinAndAsk(lab, 'npm start in one LAN', { inviter, guestHost, way, program: NPM_START })
  },
)
