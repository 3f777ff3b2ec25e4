import { expect, test } from 'vitest'
import { createFakeNode } from '../../contract/fake-node.js'
import { openPalette } from '../fake-dashboard.js'
import { startWalk } from './walk.js'

const walk = startWalk((node) => {
  node.needs.sharing.shares.list = () => []
  for (const service of node.needs.registry.list()) Object.assign(service, { published: false, visibility: 'me' })
  node.needs.sharing.pause.state = () => ({ paused: false, reasons: [], running: 0, cutAtMs: null, rules: [] })
})

test('the demo model takes no place on the Share page', async () => {
  const { detector } = walk.node.needs.sharing
  const servers = detector.servers.bind(detector)
  const list = walk.node.needs.registry.list.bind(walk.node.needs.registry)
  detector.servers = () => []
  const [service] = list()
  const demo = { ...service!, id: 'demo', published: false, models: [{ ...service!.models[0]!, id: 'ocf-demo' }] }
  walk.node.needs.registry.list = () => [demo]
  await walk.open('#/share')
  await walk.page.getByText('No model server was found on this computer.').waitFor()
  expect(await walk.page.getByText('ocf-demo').count()).toBe(0)
  detector.servers = servers
  walk.node.needs.registry.list = list
})

test('a model can be for this computer’s own apps alone', async () => {
  await walk.open('#/share')
  await walk.page.getByRole('radio', { name: 'Only me' }).check()
  await walk.page.getByRole('button', { name: 'Use 1 model on this computer only' }).waitFor()
})

test('Home shows what the GPU does', async () => {
  await walk.open('#/home')
  const card = walk.page.getByRole('region', { name: 'GPU' })
  await card.getByText('NVIDIA GeForce RTX 4090').waitFor()
  expect(await card.innerText()).toContain('9.6 GB of 24 GB')
  expect(await card.innerText()).toContain('63 % in use')
  expect(await card.innerText()).toContain('58 °C')
})

test('the welcome questions are put away and come back from the palette', async () => {
  await walk.open('#/home')
  const welcome = walk.page.getByRole('heading', { name: /^Welcome:/ })
  await walk.page.getByRole('button', { name: 'Don’t show again' }).click()
  await welcome.waitFor({ state: 'detached' })
  await openPalette(walk.page)
  await walk.page.keyboard.type('welcome')
  await walk.page.getByRole('option', { name: /Show the welcome questions/ }).waitFor()
  await walk.page.keyboard.press('Enter')
  await welcome.waitFor()
})

test('Home says what there is, what is connected, and the models that answer now', async () => {
  await walk.open('#/home')
  await walk.page.getByText('2 peers connected, 1 more known').waitFor()
  const usable = walk.page.getByRole('region', { name: 'Models you can use now' })
  expect(await usable.getByRole('listitem').first().innerText()).toMatch(/llama3\.2:3b\s+This computer\s+Chat/)
  await usable.getByRole('listitem').first().getByRole('link', { name: 'Chat' }).click()
  await expect.poll(() => walk.page.getByRole('combobox', { name: 'Model' }).inputValue()).toBe('llama3.2:3b')
})

test('one key leads past the rail to the page', async () => {
  await walk.open('#/models')
  await walk.page.keyboard.press('Tab')
  expect(await walk.page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the page')
  await walk.page.keyboard.press('Enter')
  expect(await walk.page.evaluate(() => document.activeElement?.tagName)).toBe('MAIN')
  expect(new URL(walk.page.url()).hash).toBe('#/models')
})

// The last of the file: the node has lost its network for good.
test('a node that is in no network says so in the pill, which leads to the field for joining one', async () => {
  const alone = createFakeNode()
  const { connections, table } = walk.node.needs
  connections.connections = () => []
  connections.isConnected = () => false
  table.rows = () => alone.needs.table.rows()
  Object.defineProperty(table, 'size', { get: () => 0, configurable: true })
  await walk.open('#/home')
  const pill = walk.page.getByRole('link', { name: /^Status:/ })
  expect(await pill.innerText()).toBe('Not in a network yet · Join one')
  await pill.click()
  await expect
    .poll(() => walk.page.evaluate(() => document.activeElement?.closest('section')?.querySelector('h2')?.textContent))
    .toBe('Join someone')
})
