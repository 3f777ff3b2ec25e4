import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import type { FakeNode } from '../../contract/fake-node.js'
import { lendChromium, noChromium, type Browser } from '../../fixtures/chromium/launch.js'
import { openFakeDashboard, type FakeDashboard } from '../fake-dashboard.js'

/** A dashboard whose node is new for each test. */
export interface Given {
  node: FakeNode
  dashboard: FakeDashboard
  page: Page
  heading: () => Promise<string>
  /** Clicks on a link of the rail or of the page. */
  follow: (link: string) => Promise<void>
}

/** Opens it before each test of a file, and holds the page to complain of nothing. */
export function givenDashboard(make: () => FakeNode): Given {
  let browser: Browser
  const given = {
    heading: () => given.page.getByRole('heading', { level: 1 }).innerText(),
    follow: (link) => given.page.getByRole('link', { name: link, exact: true }).click(),
  } as Given
  beforeAll(async () => {
    if (noChromium === undefined) browser = await lendChromium()
  })
  afterAll(() => (noChromium === undefined ? browser.close() : undefined))
  beforeEach(async (context) => {
    context.skip(noChromium !== undefined, noChromium)
    given.node = make()
    given.dashboard = await openFakeDashboard(browser, given.node)
    given.page = given.dashboard.page
  })
  afterEach(async () => {
    if (noChromium !== undefined) return
    const complaints = [...given.dashboard.complaints]
    await given.dashboard.close()
    expect(complaints).toEqual([])
  })
  return given
}
