import { expect, test } from 'vitest'
import { ALICE } from '../../contract/fake-node.js'
import { startWalk } from './walk.js'

const point = (atMs: number, ok: number, failed = 0) => {
  const totals = { ok, failed, cancelled: 0, tokensIn: ok * 10, tokensOut: ok * 100, bytesIn: 0, bytesOut: 0 }
  const none = { ok: 0, failed: 0, cancelled: 0, tokensIn: 0, tokensOut: 0, bytesIn: 0, bytesOut: 0 }
  const times = ok === 0 ? null : { p50: 146, p90: 2700, p95: 4000, p99: 5800 }
  return {
    atMs,
    out: totals,
    in: none,
    local: none,
    ttfbMs: times,
    ttfbOfMs: { out: times, in: null, local: null },
    durationMs: times,
  }
}
let counts: number[] = []
const walk = startWalk((node) => {
  node.needs.history.read = (range) => {
    const stepMs = 60_000
    const firstMs = Math.floor(Date.now() / stepMs) * stepMs - (counts.length - 1) * stepMs
    const points = counts.map((ok, index) => point(firstMs + index * stepMs, ok))
    const times = points.some(({ ttfbMs }) => ttfbMs !== null) ? { p50: 146, p90: 2700, p95: 4000, p99: 5800 } : null
    return {
      range,
      stepMs,
      points,
      ttfbMs: times,
      ttfbOfMs: { out: times, in: null, local: null },
      durationMs: times,
      errors: [{ code: 'upstream_failed', count: 1234 }],
    }
  }
})

test('the live list is the first thing on the page, and the charts keep their place below it', async () => {
  counts = Array<number>(60).fill(1)
  await walk.open('#/traffic')
  const [list, chart] = [
    await walk.page.getByRole('table', { name: 'Traffic' }).boundingBox(),
    await walk.page.getByRole('figure').first().boundingBox(),
  ]
  expect(list!.y).toBeLessThan(320)
  expect(chart!.y).toBeGreaterThan(list!.y)
})

test('a period without requests has words and no line along the bottom', async () => {
  counts = Array<number>(60).fill(0)
  await walk.open('#/traffic')
  await expect.poll(() => walk.page.getByText('No requests in this period.').count()).toBe(3)
  expect(await walk.page.locator('canvas').count()).toBe(0)
})

test('a chart begins with the first request, and its bars stand on zero', async () => {
  counts = [...Array<number>(50).fill(0), ...Array.from({ length: 10 }, (_, index) => index + 1)]
  await walk.open('#/traffic')
  await walk.page.locator('canvas').first().waitFor()
  // What is drawn reaches over most of the width: the empty time before is left out.
  const filled = await walk.page
    .locator('canvas')
    .first()
    .evaluate((canvas: HTMLCanvasElement) => {
      const { data, width, height } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
      const columns = new Set<number>()
      for (let at = 0; at < data.length; at += 4) {
        const [red = 0, green = 0, blue = 0, alpha = 0] = data.subarray(at, at + 4)
        if (alpha > 200 && blue > 180 && red < 120 && green < 120) columns.add((at / 4) % width)
      }
      return { first: Math.min(...columns) / width, last: Math.max(...columns) / width, height }
    })
  expect(filled.first).toBeLessThan(0.5)
  expect(filled.last).toBeGreaterThan(0.85)
})

test('times stand in a small table with one figure in each cell', async () => {
  counts = Array<number>(60).fill(1)
  await walk.open('#/traffic')
  const table = walk.page.getByRole('table', { name: 'Times' })
  expect(await table.getByRole('row').nth(1).innerText()).toMatch(/First byte\s+146 ms\s+2\.7 s\s+4\.0 s\s+5\.8 s/)
  await walk.page.getByText('1,234', { exact: true }).waitFor()
})

test('how long peers take and how long this computer takes for them stand apart', async () => {
  counts = Array<number>(60).fill(1)
  const { history } = walk.node.needs
  const read = history.read.bind(history)
  history.read = (range) => ({
    ...read(range),
    ttfbOfMs: {
      out: { p50: 420, p90: 500, p95: 600, p99: 700 },
      in: { p50: 64, p90: 70, p95: 80, p99: 90 },
      local: null,
    },
  })
  await walk.open('#/traffic')
  const rows = walk.page.getByRole('table', { name: 'Times' }).getByRole('row')
  expect(await rows.nth(2).innerText()).toMatch(/from peers\s+420 ms\s+500 ms/)
  expect(await rows.nth(3).innerText()).toMatch(/for peers\s+64 ms\s+70 ms/)
  history.read = read
  await walk.open(`#/network/${ALICE}`)
  const sheet = walk.page.getByRole('dialog')
  await sheet.getByText('First byte, from it').waitFor()
  await sheet.getByText('First byte, to it').waitFor()
})

test('requests that no one could answer are a group of their own', async () => {
  const started = { direction: 'local', service: 'llm', method: 'POST', route: '/v1/chat/completions' } as const
  walk.node.traffic.begin({ id: 'nobody', model: 'nobody-has-it', ...started }).finish({
    ...{ status: 404, error: 'model_not_found', tries: 0 },
  })
  await walk.open('#/traffic')
  expect(await walk.heading()).toMatch(/\u00a0· 1 unanswered\.$/)
  await walk.page.getByRole('radio', { name: 'Unanswered' }).check()
  await walk.page.getByText('1 of 15 requests').waitFor()
  await walk.page
    .getByRole('group', { name: 'Outcome' })
    .or(walk.page.getByRole('radiogroup', { name: 'Outcome' }))
    .getByRole('radio', { name: 'All' })
    .check()
  await walk.page.getByRole('radio', { name: 'Local' }).check()
  await walk.page.getByText('3 of 15 requests').waitFor()
})

test('what each app used is added up by its API key', async () => {
  await walk.open('#/traffic')
  const rows = walk.page.getByRole('table', { name: 'By app' }).getByRole('row')
  expect(await rows.nth(1).innerText()).toMatch(/phone\s+11\s+1\s+/)
})

test('the button that holds the list still does not look like the one that pauses sharing', async () => {
  await walk.open('#/traffic')
  const drawn = (name: RegExp): Promise<string | null> =>
    walk.page.getByRole('button', { name }).first().locator('path').first().getAttribute('d')
  const hold = await drawn(/^Pause list/)
  const { pause } = walk.node.needs.sharing
  const state = pause.state()
  pause.state = () => ({ ...state, paused: false, reasons: [] })
  await walk.open('#/share')
  expect(hold).not.toBe(await drawn(/^Pause for 15 min/))
  pause.state = () => state
})

test('large counts have their separators in the first sentence', async () => {
  for (let index = 0; index < 1300; index += 1) {
    const started = { direction: 'out', service: 'llm', method: 'POST', route: '/v1/chat/completions' } as const
    walk.node.traffic.begin({ id: `many-${index}`, model: 'm', peer: ALICE, ...started }).finish({ status: 200 })
  }
  await walk.open('#/traffic')
  expect(await walk.heading()).toMatch(/^1,315 requests today: 1,308 to peers/)
})
