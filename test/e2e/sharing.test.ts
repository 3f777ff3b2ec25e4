import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { DetectedServer } from '#shared/contract/sharing/detection.js'
import type { ServerChoices } from '#shared/contract/sharing/visibility.js'
import { createFakeNode, type FakeNode } from '../contract/fake-node.js'
import { lendChromium, noChromium, type Browser } from '../fixtures/chromium/launch.js'
import { openFakeDashboard, type FakeDashboard } from './fake-dashboard.js'

let browser: Browser
let node: FakeNode
let dashboard: FakeDashboard

beforeAll(async () => {
  if (noChromium === undefined) browser = await lendChromium()
})
afterAll(() => (noChromium === undefined ? browser.close() : undefined))
beforeEach((context) => {
  context.skip(noChromium !== undefined, noChromium)
  node = createFakeNode()
})
afterEach(async () => {
  expect(dashboard.complaints).toEqual([])
  await dashboard.close()
})

const IDS = ['llama3.2:3b', 'qwen3:8b', 'nomic-embed-text:latest']

/** A server that is not shared, with what was chosen for it before. */
function unshared(remembered: ServerChoices | null): void {
  const { detector, shares } = node.needs.sharing
  const [known] = detector.servers()
  if (known?.models[0] === undefined) throw new Error('the fake has a server with a model')
  const [model] = known.models
  const server: DetectedServer = { ...known, sharedAs: null, remembered, models: IDS.map((id) => ({ ...model, id })) }
  Object.assign(detector, { servers: () => [server] })
  Object.assign(shares, { list: () => [] })
  const open = { ...node.needs.sharing.pause.state(), paused: false, reasons: [] }
  Object.assign(node.needs.sharing.pause, { state: () => open })
}

async function openShare(): Promise<FakeDashboard['page']> {
  dashboard = await openFakeDashboard(browser, node)
  await dashboard.goTo('#/share')
  return dashboard.page
}

test('the button of a model server says what it will do, and sends who may use each model', async () => {
  unshared(null)
  const asked: unknown[] = []
  const { shares } = node.needs.sharing
  shares.add = (request) => {
    asked.push(request)
    return Promise.resolve(createFakeNode().needs.sharing.shares.list()[0]!)
  }
  const page = await openShare()
  await page.getByRole('heading', { name: 'One model server was found. Who may use it?' }).waitFor()
  await page.getByRole('button', { name: 'Use 3 models on this computer only' }).waitFor()
  await page.getByText('No other computer sees them.').waitFor()
  await dashboard.look('share-new-server')
  await page.getByRole('radio', { name: 'Everyone' }).check()
  await page.getByRole('button', { name: 'Share 3 models with everyone' }).waitFor()
  await page.getByRole('combobox', { name: 'Who may use qwen3:8b' }).selectOption('People I trust')
  await page.getByText('Each model has its own choice below.').waitFor()
  await page.getByRole('checkbox', { name: 'Share nomic-embed-text:latest' }).uncheck()
  expect(await page.getByRole('combobox', { name: 'Who may use nomic-embed-text:latest' }).isDisabled()).toBe(true)
  await dashboard.look('share-mixed')
  await page.getByRole('button', { name: 'Share 1 with everyone, 1 with people you trust' }).click()
  await expect
    .poll(() => asked)
    .toEqual([
      {
        ...{ host: '127.0.0.1', port: 11434, models: ['llama3.2:3b', 'qwen3:8b'], except: [], aliases: [] },
        visibility: 'trusted',
        visibilities: [
          { model: 'llama3.2:3b', visibility: 'everyone' },
          { model: 'nomic-embed-text:latest', visibility: 'everyone' },
        ],
      },
    ])
})

test('what was chosen for a server that is no longer shared is on its card again', async () => {
  unshared({
    all: false,
    visibility: 'me',
    aliases: [{ name: 'small', model: 'llama3.2:3b' }],
    models: [
      { model: 'llama3.2:3b', ticked: true, visibility: 'trusted' },
      { model: 'qwen3:8b', ticked: false, visibility: 'everyone' },
    ],
  })
  const page = await openShare()
  await page.getByRole('button', { name: 'Share 1 model with people you trust' }).waitFor()
  expect(await page.getByRole('textbox', { name: 'Aliases of llama3.2:3b' }).inputValue()).toBe('small')
  expect(await page.getByRole('checkbox', { name: 'Share qwen3:8b' }).isChecked()).toBe(false)
  const refused = page.getByRole('combobox', { name: 'Who may use qwen3:8b' })
  expect(await refused.inputValue()).toBe('everyone')
  expect(await page.getByRole('checkbox', { name: 'Share nomic-embed-text:latest' }).isChecked()).toBe(false)
})

test('a shared server that is gone keeps its card, which says that its models are withdrawn', async () => {
  const { detector, shares } = node.needs.sharing
  const [share] = shares.list()
  Object.assign(detector, { servers: () => [] })
  Object.assign(shares, { list: () => [{ ...share, status: 'down', names: [], published: [] }] })
  const page = await openShare()
  await page.getByText('Ollama stopped answering. Its models are withdrawn', { exact: false }).waitFor()
  await page.getByRole('button', { name: 'Stop sharing' }).waitFor()
  expect(await page.getByText('No model server was found on this computer.').count()).toBe(0)
  await dashboard.look('share-server-gone')
})

test('a notice after an upgrade stays on every page until it was read', async () => {
  Object.assign(node.needs.sharing.shares, { wasUpgraded: true })
  const page = await openShare()
  const notice = page.getByText('What you shared before stays shared with everyone.', { exact: false })
  await notice.waitFor()
  await dashboard.look('share-upgraded')
  await dashboard.goTo('#/models')
  await notice.waitFor()
  await page.getByRole('button', { name: 'OK' }).click()
  await notice.waitFor({ state: 'detached' })
  await page.reload()
  await page.getByRole('heading', { level: 1 }).waitFor()
  expect(await notice.count()).toBe(0)
})

test('the limits stand under what they are counted for, and each is named with its group', async () => {
  const page = await openShare()
  for (const [group, field] of [
    ['All peers together', 'Queue size'],
    ['Each peer', 'Tokens per peer per day'],
    ['Each source of strangers', 'Requests per source per minute'],
    ['All strangers together', 'Tokens of all strangers per minute'],
    ['Each request', 'Max. tokens per answer'],
    ['Which peers', 'Blocked peers'],
  ] as const) {
    await page.getByRole('group', { name: group }).getByRole('textbox', { name: field }).waitFor()
  }
  await page.getByRole('group', { name: 'All peers together' }).scrollIntoViewIfNeeded()
  await dashboard.look('share-limits')
})
