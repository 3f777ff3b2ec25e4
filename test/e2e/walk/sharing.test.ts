import { expect, test } from 'vitest'
import { ALICE } from '../../contract/fake-node.js'
import { startWalk } from './walk.js'

const walk = startWalk(({ needs: { registry } }) => {
  const list = registry.list.bind(registry)
  registry.list = () => list().filter(({ status }) => status === 'connected')
})
const pill = () => walk.page.getByRole('link', { name: /^Status:/ })

/** Whether sharing is paused, until the next test says otherwise. */
function pauseSharing(reason?: { sentence: string; untilMs: number | null }): void {
  const { pause } = walk.node.needs.sharing
  const state = pause.state()
  pause.state = () => ({
    ...state,
    paused: reason !== undefined,
    reasons: reason === undefined ? [] : [{ cause: 'manual' as const, ...reason }],
  })
}

test('a server that dies is said in the first sentence, on its card and in the pill, and nothing else is claimed', async () => {
  pauseSharing()
  const { detector, shares } = walk.node.needs.sharing
  const servers = detector.servers.bind(detector)
  const list = shares.list.bind(shares)
  const [share] = list()
  detector.servers = () => []
  shares.list = () => [{ ...share!, status: 'down', problem: 'Nothing listens there.', names: [], published: [] }]
  await walk.open('#/share')
  expect(await walk.heading()).toBe('Ollama isn’t answering, so nothing is shared right now.')
  await walk.page.getByText('Ollama stopped answering. Its models are withdrawn', { exact: false }).waitFor()
  expect(await walk.page.getByRole('button', { name: /^Pause for/ }).count()).toBe(0)
  expect(await pill().innerText()).toContain('Ollama isn’t answering')
  await pill().click()
  expect(new URL(walk.page.url()).hash).toBe('#/share')
  detector.servers = servers
  shares.list = list
})

test('a pause says once why and until when, and the pill how much of it is left', async () => {
  const untilMs = Date.now() + 14 * 60_000 - 5000
  pauseSharing({ sentence: 'you paused it for a while', untilMs })
  await walk.open('#/share')
  const time = new Date(untilMs).toTimeString().slice(0, 5)
  expect(await walk.heading()).toBe(`Sharing is paused: you paused it for a while. It resumes at ${time}.`)
  expect(await walk.page.getByText('you paused it for a while', { exact: false }).count()).toBe(1)
  expect(await pill().innerText()).toBe('Paused · 14 min left')
  const card = walk.page.getByRole('region', { name: /^Ollama/ })
  await card.getByText('Paused', { exact: true }).waitFor()
  expect(await card.getByText('Shared with everyone').count()).toBe(0)
  pauseSharing()
})

test('a limit that refuses everyone says so and leads to it', async () => {
  const { admission } = walk.node.needs.sharing
  const usage = admission.usage.bind(admission)
  admission.usage = () => ({ ...usage(), slots: { used: 0, total: 0 } })
  await walk.open('#/share')
  expect(await walk.heading()).toBe('You share models, but your limits refuse every request.')
  await walk.page.getByRole('link', { name: 'Change the limit' }).click()
  await walk.page.getByRole('slider', { name: 'Requests from peers at the same time' }).waitFor()
  admission.usage = usage
})

test('a server that only asks for a key is not counted as one that can be shared', async () => {
  const { detector, shares } = walk.node.needs.sharing
  const [ollama] = detector.servers()
  const servers = detector.servers.bind(detector)
  const list = shares.list.bind(shares)
  shares.list = () => []
  detector.servers = () => [{ ...ollama!, port: 8093, state: 'needs-key', models: [], typed: true, sharedAs: null }]
  await walk.open('#/share')
  expect(await walk.heading()).not.toContain('found')
  await walk.page.getByRole('button', { name: 'Forget' }).waitFor()
  detector.servers = servers
  shares.list = list
})

test('who was blocked is let in again with Undo, and what was stopped is shared again as it was', async () => {
  const { admission, shares } = walk.node.needs.sharing
  const blocked: unknown[] = []
  const saveAll = walk.node.needs.settings.saveAll.bind(walk.node.needs.settings)
  walk.node.needs.settings.saveAll = (values) => {
    blocked.push(values['limits.block-peers'])
    return Promise.resolve({ restartNeeded: false })
  }
  const added: unknown[] = []
  const add = shares.add.bind(shares)
  shares.add = (request) => {
    added.push(request)
    return add(request)
  }
  const usage = admission.usage.bind(admission)
  admission.usage = () => ({ ...usage(), consumers: [{ peerId: ALICE, running: 1, waiting: 0, tokensToday: 3 }] })
  await walk.open('#/share')
  await walk.page.getByRole('button', { name: 'Block', exact: true }).click()
  await walk.page.getByRole('button', { name: 'Undo' }).click()
  await walk.page.getByText('No longer blocked.').waitFor()
  expect(blocked).toHaveLength(2)
  expect(String(blocked[0])).toContain(ALICE)
  expect(String(blocked[1])).not.toContain(ALICE)
  await walk.page.getByRole('button', { name: 'Stop sharing' }).click()
  await walk.page.getByRole('button', { name: 'Undo' }).click()
  await walk.page.getByText('Shared again, as before.').waitFor()
  expect(added).toEqual([
    expect.objectContaining({
      models: ['llama3.2:latest'],
      visibilities: [{ model: 'llama3.2:latest', visibility: 'everyone' }],
    }),
  ])
  walk.node.needs.settings.saveAll = saveAll
  shares.add = add
  admission.usage = usage
})

test('what was served is shown over weeks, by model and by people, and saved', async () => {
  const { ledger } = walk.node.needs.sharing
  const today = new Date().toISOString().slice(0, 10)
  const row = { requests: 2, failed: 0, tokensIn: 5, tokensOut: 400, tokensEstimated: 0 }
  ledger.rows = () => [
    { day: today, model: 'llama3.2:latest', peer: ALICE, ...row },
    { day: today, model: 'qwen3:8b', peer: ALICE, ...row, tokensOut: 100 },
  ]
  await walk.open('#/share')
  await walk.page.getByRole('link', { name: 'All that was served' }).click()
  await expect.poll(walk.heading).toBe('You helped 2 people since 31 January 2030: 3 requests, 300 tokens.')
  const models = walk.page.getByRole('table', { name: 'By model' })
  expect(await models.getByRole('row').nth(1).innerText()).toMatch(/llama3\.2:latest\s+2\s+400/)
  await walk.page.getByRole('radio', { name: 'By peer' }).check()
  const peers = walk.page.getByRole('table', { name: 'By peer' })
  expect(await peers.getByRole('row').nth(1).innerText()).toMatch(/…liceAlic\s+4\s+500/)
  const saved = walk.page.waitForEvent('download')
  await walk.page.getByRole('button', { name: 'Save as JSON' }).click()
  expect((await saved).suggestedFilename()).toMatch(/\.json$/)
  await walk.dashboard.look('ledger')
})
