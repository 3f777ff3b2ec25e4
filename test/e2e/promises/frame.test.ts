import { expect, test } from 'vitest'
import { startWalk } from '../walk/walk.js'

const walk = startWalk(({ needs }) => {
  const read = needs.history.read.bind(needs.history)
  needs.history.read = (range) => {
    const none = { ok: 0, failed: 0, cancelled: 0, tokensIn: 0, tokensOut: 0, bytesIn: 0, bytesOut: 0 }
    const times = { ttfbMs: null, ttfbOfMs: { out: null, in: null, local: null }, durationMs: null }
    // One hour with many requests among hours with none: what a chart of lines would draw as a spike.
    const points = Array.from({ length: 24 }, (_, index) => ({
      ...{ atMs: Date.now() - (24 - index) * 3_600_000, in: none, local: none, ...times },
      out: { ...none, ok: index === 23 ? 400 : 0 },
    }))
    return { ...read(range), points }
  }
})

test('the rail marks the page on which something wants a look, and the window is named after the page', async () => {
  const { sharing } = walk.node.needs
  const state = sharing.pause.state.bind(sharing.pause)
  const marked = walk.page
    .getByRole('navigation', { name: 'Pages' })
    .getByRole('link')
    .filter({
      has: walk.page.locator('[class*=mark]'),
    })
  await walk.open('#/models')
  expect(await marked.allInnerTexts()).toEqual(['Share'])
  expect(await walk.page.title()).toBe('Models – Open Compute')
  sharing.pause.state = () => ({ ...state(), paused: false, reasons: [] })
  await walk.open('#/traffic')
  await expect.poll(() => marked.count()).toBe(0)
  expect(await walk.page.title()).toBe('Traffic – Open Compute')
  sharing.pause.state = state
})

test('a figure of Home has bars that stand on its ground, within its card', async () => {
  await walk.open('#/home')
  const figure = walk.page.getByRole('main').getByRole('link', { name: /^Requests today/ })
  const drawn = await figure.locator('svg').evaluate((svg) => {
    const [ground, bars] = [...svg.querySelectorAll('path')].map((path) => path.getBoundingClientRect())
    const card = svg.closest('a')!.getBoundingClientRect()
    return {
      isWithin: bars!.left >= card.left && bars!.right <= card.right && bars!.bottom <= card.bottom,
      stands: Math.abs(bars!.bottom - ground!.bottom) <= 1,
      isOneHourWide: bars!.width < svg.getBoundingClientRect().width / 20,
    }
  })
  expect(drawn).toEqual({ isWithin: true, stands: true, isOneHourWide: true })
})

test('no word of the cards on Home is cut off, in a narrow window and at 200 %', async () => {
  await walk.open('#/home')
  for (const [width, height] of [
    [1280, 800],
    [900, 600],
    [640, 400],
    [390, 844],
  ] as const) {
    await walk.page.setViewportSize({ width, height })
    const cut = await walk.page
      .getByRole('main')
      .locator('a[class*=fact] span')
      .evaluateAll((words) =>
        words
          .filter((word) => word.scrollWidth > word.clientWidth + 1 && getComputedStyle(word).display !== 'inline')
          .map((word) => word.textContent),
      )
    expect(cut, `at ${width}`).toEqual([])
  }
  await walk.page.setViewportSize({ width: 1280, height: 800 })
})

test('names on the map are as large as small text is elsewhere, however narrow the window', async () => {
  await walk.open('#/network')
  const map = walk.page.getByRole('group', { name: /^This node in the middle/ })
  for (const width of [1280, 900]) {
    await walk.page.setViewportSize({ width, height: 800 })
    const heights = await map
      .locator('text')
      .evaluateAll((names) => names.map((name) => name.getBoundingClientRect().height))
    expect(heights.length).toBeGreaterThan(2)
    expect(Math.min(...heights), `at ${width}`).toBeGreaterThanOrEqual(12)
  }
  await walk.page.setViewportSize({ width: 1280, height: 800 })
})

test('a list has one stop for each of its rows, and Enter there opens the row', async () => {
  for (const [place, name] of [
    ['traffic', 'Traffic'],
    ['network', 'Peers'],
  ] as const) {
    await walk.open(`#/${place}`)
    const table = walk.page.getByRole('table', { name, exact: true })
    const stops = await table
      .locator('tbody tr:not([aria-hidden])')
      .evaluateAll((rows) =>
        rows.map(
          (row) => [...row.querySelectorAll<HTMLElement>('a, button')].filter(({ tabIndex }) => tabIndex >= 0).length,
        ),
      )
    expect(stops.length, name).toBeGreaterThan(1)
    expect(new Set(stops), name).toEqual(new Set([1]))
    await table.locator('tbody a:not([tabindex])').first().focus()
    await walk.page.keyboard.press('Enter')
    await walk.page.getByRole('dialog').waitFor()
    await walk.page.keyboard.press('Escape')
    await walk.page.getByRole('dialog').waitFor({ state: 'detached' })
  }
})

test('a long line of the log goes on below itself instead of beyond the card', async () => {
  walk.node.writeLog('w'.repeat(400), 'warn')
  await walk.open('#/settings/~advanced')
  const log = walk.page.getByRole('log')
  await log.getByText('w'.repeat(400)).waitFor()
  const [wide, tall] = await log.evaluate((box) => [box.scrollWidth - box.clientWidth, box.scrollHeight])
  expect(wide).toBeLessThanOrEqual(0)
  expect(tall).toBeGreaterThan(60)
})
