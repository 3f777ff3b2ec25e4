import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ALICE, BOB, createFakeNode, type FakeNode } from '../contract/fake-node.js'
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
  node.connect(ALICE)
  node.connect(BOB)
  node.offer(ALICE, 'llm', ['model=go-model'])
  node.offer(BOB, 'llm', ['model=go-model', 'model=other'])
})
afterEach(async () => {
  expect(dashboard.complaints).toEqual([])
  await dashboard.close()
})

const BADGE = 'Unsigned network'

describe('the unsigned network', () => {
  test('is named wherever one of its providers stands, and nowhere else', async () => {
    node.needs.goNetwork = {
      isProvider: (peerId) => peerId === ALICE,
      view: () => ({
        ...{ mode: 'share', nodes: 3, providers: 1 },
        shared: { models: 2, listedBy: 1, notListedBy: 2 },
      }),
    }
    dashboard = await openFakeDashboard(browser, node)
    const { page } = dashboard
    await dashboard.goTo('#/network')
    const card = page.getByRole('region', { name: 'OpenTela network' })
    await card.waitFor()
    expect(await card.textContent()).toContain('2 models, listed by 1 of 3 nodes asked')
    expect(await card.textContent()).toContain('only accept builds signed by the makers of OpenTela')
    expect(await page.getByRole('table', { name: 'Peers' }).getByText(BADGE).count()).toBe(1)
    await card.scrollIntoViewIfNeeded()
    await dashboard.look('go-network')
    await dashboard.goTo(`#/network/${ALICE}`)
    await page.getByRole('dialog').getByText(BADGE).waitFor()
    await dashboard.look('go-network-peer')
    await dashboard.goTo('#/models/go-model')
    const providers = page.getByRole('table', { name: 'Providers' })
    await providers.getByText(BADGE).waitFor()
    expect(await providers.getByText(BADGE).count()).toBe(1)
    await dashboard.look('go-network-model')
  })

  test('is not mentioned by a node that takes no part in it', async () => {
    dashboard = await openFakeDashboard(browser, node)
    await dashboard.goTo('#/network')
    await dashboard.page.getByRole('table', { name: 'Peers' }).waitFor()
    expect(await dashboard.page.getByText('OpenTela network').count()).toBe(0)
    expect(await dashboard.page.getByText(BADGE).count()).toBe(0)
  })
})
