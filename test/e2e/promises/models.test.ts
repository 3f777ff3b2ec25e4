import type { Locator } from 'playwright-core'
import { expect, test } from 'vitest'
import { startWalk } from '../walk/walk.js'

const walk = startWalk()
const table = (name: string): Locator => walk.page.getByRole('table', { name, exact: true })

/** Headers and figures of a table of which a part is cut off; names may be, and keep their end. */
const cutOff = (name: string): Promise<string[]> =>
  table(name)
    .locator('th, td[class*=numeric]')
    .evaluateAll((cells) =>
      cells
        .filter((cell) => cell.scrollWidth > cell.clientWidth + 1)
        .map((cell) => `${cell.textContent} (${cell.clientWidth} of ${cell.scrollWidth})`),
    )

test('no head and no figure of a list is cut off, however wide the window and whatever it is sorted by', async () => {
  for (const [hash, name, sorted] of [
    ['models', 'Models', 'Tokens/s'],
    [`models/${encodeURIComponent('qwen3:8b')}`, 'Providers', undefined],
    ['traffic', 'Traffic', undefined],
    ['network', 'Peers', undefined],
  ] as const) {
    await walk.open(`#/${hash}`)
    await table(name).waitFor()
    if (sorted !== undefined) await table(name).getByRole('button', { name: sorted }).click()
    for (const width of [1440, 1280, 900]) {
      await walk.page.setViewportSize({ width, height: 800 })
      expect(await cutOff(name), `${name} at ${width}`).toEqual([])
    }
    await walk.page.setViewportSize({ width: 1280, height: 800 })
  }
})

test('no head of Traffic is cut off either where no app shows a key, and the list has more columns', async () => {
  const { traffic } = walk.node.needs
  const entries = traffic.entries.bind(traffic)
  traffic.entries = () => entries().map((entry) => ({ ...entry, key: null }))
  await walk.open('#/traffic')
  await table('Traffic').getByRole('columnheader', { name: 'Duration' }).waitFor()
  expect(await table('Traffic').getByRole('columnheader', { name: 'API key' }).count()).toBe(0)
  for (const width of [1600, 1440, 1280, 900]) {
    await walk.page.setViewportSize({ width, height: 800 })
    expect(await cutOff('Traffic'), `at ${width}`).toEqual([])
  }
  await walk.page.setViewportSize({ width: 1280, height: 800 })
  traffic.entries = entries
})

test('a column that has nothing to say of any model is left out', async () => {
  const { models } = walk.node.needs
  const list = models.list.bind(models)
  await walk.page.setViewportSize({ width: 1600, height: 900 })
  await walk.open('#/models')
  const context = table('Models').getByRole('columnheader', { name: 'Context' })
  await context.waitFor()
  models.list = () => list().map((model) => ({ ...model, facts: undefined }))
  await walk.open('#/models')
  await table('Models').getByRole('columnheader', { name: 'Via' }).waitFor()
  expect(await context.count()).toBe(0)
  models.list = list
  await walk.page.setViewportSize({ width: 1280, height: 800 })
})

test('what a column means is told to keyboards and to fingers, not to a mouse alone', async () => {
  await walk.open('#/models')
  const load = table('Models').getByRole('button', { name: 'Load' })
  const meaning = walk.page.getByRole('tooltip')
  await table('Models').getByRole('button', { name: 'Via' }).focus()
  // Over the keyboard, so that it is one that has the focus for a person to see.
  await walk.page.keyboard.press('Tab')
  await expect.poll(() => load.evaluate((one) => one === document.activeElement)).toBe(true)
  await meaning.filter({ hasText: 'Running requests out of the slots' }).waitFor()
  const box = await meaning.boundingBox()
  expect(box!.x + box!.width).toBeLessThanOrEqual(1280)
  await walk.page.keyboard.press('Escape')
  await meaning.waitFor({ state: 'hidden' })
  await load.dispatchEvent('pointerup', { pointerType: 'touch', bubbles: true })
  await meaning.waitFor()
})

test('a search says how many of all models it has found', async () => {
  await walk.open('#/models')
  await walk.page.getByRole('searchbox', { name: 'Search models' }).fill('qwen')
  await walk.page.getByRole('heading', { name: '2 of 5 models' }).waitFor()
})

test('the demo model is called one on Home, in the list and on its own page', async () => {
  const { registry } = walk.node.needs
  const [list, models] = [registry.list.bind(registry), walk.node.needs.models.list.bind(walk.node.needs.models)]
  const [service] = list()
  const demo = { ...service!, id: 'demo', published: false, models: [{ ...service!.models[0]!, id: 'ocf-demo' }] }
  registry.list = () => [demo]
  walk.node.needs.models.list = () => [{ id: 'ocf-demo', own: [demo], peers: [], inTrust: new Set() }]
  for (const [hash, place] of [
    ['home', walk.page.getByRole('region', { name: 'Models you can use now' })],
    ['models', table('Models')],
    ['models/ocf-demo', walk.page.getByRole('region', { name: 'About this model' })],
  ] as const) {
    await walk.open(`#/${hash}`)
    await place.getByText('Demo', { exact: true }).waitFor()
    await place.getByTitle('A toy that shows how a request runs.', { exact: false }).waitFor()
  }
  registry.list = list
  walk.node.needs.models.list = models
})
