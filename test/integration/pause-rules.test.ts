import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PauseCause } from '#shared/contract/sharing/pause.js'
import { known, type GpuFacts } from '../../src-main/services/machine/index.js'
import { readBody, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { startNodeInProcess, type NodeInProcess } from '../fixtures/node-in-process.js'
import { chat, modelIds } from '../fixtures/node-pair.js'
import { until } from '../fixtures/until.js'

const MODEL = 'test-model'
const AWAY_MS = 60 * 60_000
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

/** What the provider's machine seems to be doing. */
const machine = { idleMs: AWAY_MS, onBattery: false, gpuPercent: 0, programs: ['bash'] }

let server: ModelServerFixture
let asker: NodeInProcess
let provider: NodeInProcess

beforeAll(async () => {
  server = await startModelServer({
    models: [MODEL],
    async answer(request, response) {
      if (request.method !== 'POST') return void response.writeHead(404).end()
      await readBody(request)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}')
    },
  })
  asker = await startNodeInProcess()
  provider = await startNodeInProcess({
    flags: { 'bootstrap.sources': [`${asker.gateway}/v1/dnt/bootstraps`] },
    desktopSharing: {
      pauseCheckMs: 50,
      facts: {
        userIdleMs: () => Promise.resolve(known(machine.idleMs)),
        onBattery: () => Promise.resolve(known(machine.onBattery)),
        gpus: () => Promise.resolve(known([gpuAt(machine.gpuPercent)])),
        programs: () => Promise.resolve(known(new Set(machine.programs))),
      },
    },
  })
  await provider.control.call('shares.add', { port: server.port, models: 'all', visibility: 'everyone' })
  await untilServed()
})

afterAll(async () => {
  await provider.stop()
  await asker.stop()
  await server.close()
})

function gpuAt(busyPercent: number): GpuFacts {
  return { name: 'Some GPU', total_memory: 24_576, used_memory: 1_024, busyPercent, celsius: null }
}

/** The whole of a day of the week that begins in so many days: never now, however late it is. */
const dayIn = (days: number): string => DAYS[(new Date().getDay() + days) % DAYS.length] ?? ''

interface Rule {
  cause: PauseCause
  setting: string
  /** Switches the rule on. */
  on: string
  /** The machine makes the rule hold, or no longer. */
  holds: (is: boolean) => unknown
  /** No word of it leaves the machine. */
  secret: string
}

const set = (name: string, value: string | null) => provider.control.call('settings.set', { name, value })

const state = () => provider.control.call('pause.get', {})

const row = async (): Promise<{ service: { status: string }[] } | undefined> => {
  const table = (await (await fetch(`${asker.gateway}/v1/dnt/table`)).json()) as Record<
    string,
    { service: { status: string }[] }
  >
  return table[`/${provider.peerId}`]
}

const direct = () =>
  fetch(`${asker.gateway}/v1/p2p/${provider.peerId}/v1/_service/llm/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'Hello' }] }),
  })

async function untilServed(): Promise<void> {
  await until(async () => (await modelIds(asker.gateway)).includes(MODEL), {
    what: 'the peer lists the model',
    limitMs: 30_000,
  })
  expect((await row())?.service).toMatchObject([{ status: 'connected' }])
}

/** Both ways of asking get an answer from the server. */
async function expectAnswers(): Promise<void> {
  const before = server.requests.length
  expect((await direct()).status).toBe(200)
  expect((await chat(asker.gateway, { model: MODEL })).status).toBe(200)
  expect(server.requests.length).toBe(before + 2)
}

/** The peer has dropped the model, and no request of its gets through. Gives what it was told. */
async function untilPaused(): Promise<string> {
  await until(async () => !(await modelIds(asker.gateway)).includes(MODEL), {
    what: 'the peer drops it',
    limitMs: 30_000,
  })
  const before = server.requests.length
  const seen = await row()
  expect(seen?.service).toMatchObject([{ status: 'paused' }])
  const refused = await direct()
  expect(refused.status).toBe(503)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  const answer = (await refused.json()) as { error: { code: string } }
  expect(answer.error.code).toBe('no_provider')
  const chosen = await chat(asker.gateway, { model: MODEL })
  expect(chosen.ok).toBe(false)
  expect(server.requests.length).toBe(before)
  return JSON.stringify([seen, answer, await chosen.json()])
}

// The GPU comes first: for 20 s after a request was served, a busy GPU is taken for this node's own doing.
test.each<Rule>([
  {
    ...{ cause: 'gpu-busy', setting: 'pause.gpu-busy', on: '50', secret: 'another program' },
    holds: (is) => (machine.gpuPercent = is ? 90 : 0),
  },
  {
    ...{ cause: 'user-active', setting: 'pause.user-active', on: 'true', secret: 'you are using' },
    holds: (is) => (machine.idleMs = is ? 0 : AWAY_MS),
  },
  {
    ...{ cause: 'on-battery', setting: 'pause.on-battery', on: 'true', secret: 'battery' },
    holds: (is) => (machine.onBattery = is),
  },
  {
    ...{ cause: 'program', setting: 'pause.programs', on: 'blender', secret: 'blender' },
    holds: (is) => (machine.programs = is ? ['bash', 'blender'] : ['bash']),
  },
  {
    ...{ cause: 'schedule', setting: 'pause.schedule', on: '00:00-24:00', secret: 'time for sharing' },
    // The machine's clock stays what it is; the timetable moves.
    holds: (is) => set('pause.schedule', is ? `${dayIn(3)} 00:00-24:00` : '00:00-24:00'),
  },
])('the rule $setting is seen by a peer as it begins and ends', async ({ cause, setting, on, holds, secret }) => {
  await set(setting, on)
  expect(await state()).toMatchObject({ paused: false, reasons: [] })
  expect((await state()).rules).toContainEqual(expect.objectContaining({ cause, enabled: true, holds: false }))

  await holds(true)
  const told = await untilPaused()
  expect(await state()).toMatchObject({ paused: true, reasons: [{ cause }] })
  expect(told).not.toContain(secret)
  expect(told).not.toContain(cause)

  await holds(false)
  await untilServed()
  expect(await state()).toMatchObject({ paused: false, reasons: [] })
  await set(setting, null)
  await expectAnswers()
})

test('a rule counts while it is switched on, whatever the machine does', async () => {
  machine.onBattery = true
  // Its answer is that of a look at the rules.
  expect(await provider.control.call('pause.resume', {})).toMatchObject({ paused: false, reasons: [] })

  await set('pause.on-battery', 'true')
  await untilPaused()
  await set('pause.on-battery', null)

  await untilServed()
  await expectAnswers()
  machine.onBattery = false
})
