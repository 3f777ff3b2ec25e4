import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { emptyPeerRecord } from '#shared/records.js'
import type { Row } from '../../../src-main/node-table/index.js'
import { ALICE } from '../../contract/fake-node.js'
import { builtFile } from '../../fixtures/built.js'
import { createFurnishedNode } from '../furnished-node.js'
import { middleFrameMs, scrollThroughTenThousandPeers } from '../specs/ten-thousand-peers.js'
import { givenDashboard } from './given.js'

const given = givenDashboard(createFurnishedNode)

const MANY: Row[] = Array.from({ length: 10_000 }, (_, index) => {
  const peerId = `12D3KooWMany${String(index).padStart(40, '0')}`
  return { peerId, record: emptyPeerRecord(peerId), seq: 1, epoch: 1, expiresAtMs: Date.now() + 600_000 }
})

test('ten thousand peers are scrolled through without drawing them all', async () => {
  await given.follow('Network')
  given.node.needs.table.rows = () => MANY.values()
  given.node.connect(`${ALICE}2`)
  await scrollThroughTenThousandPeers(given.page)
})

test('ten thousand requests are filtered and scrolled through without drawing them all', async () => {
  for (let i = 0; i < 10_000; i++) {
    const started = { direction: 'out', service: 'llm', method: 'POST', route: '/v1/chat/completions' } as const
    given.node.traffic.begin({ id: `many-${i}`, model: `model-${i}`, ...started }).finish({ status: 200 })
  }
  await given.follow('Traffic')
  const box = given.page.getByRole('group', { name: 'Traffic', exact: true })
  await given.page.getByRole('heading', { name: /10,000 requests/ }).waitFor()
  const table = given.page.getByRole('table', { name: 'Traffic' })
  const drawn = (): Promise<number> => table.getByRole('row').count()
  expect(await drawn()).toBeLessThan(60)
  expect(await middleFrameMs(box)).toBeLessThan(200)
  await expect.poll(() => table.getByRole('row').last().innerText()).toMatch(/model-0\b/)
  expect(await drawn()).toBeLessThan(60)
  await given.page.getByRole('searchbox').fill('model-777')
  await given.page.getByRole('heading', { name: /11 of 10,000/ }).waitFor()
  await given.page.getByRole('searchbox').fill('')
  await given.page.getByRole('heading', { name: /10,000 requests/ }).waitFor()
  // Who reads further down keeps the place while requests come in at the top.
  await box.evaluate((element) => (element.scrollTop = 4_000))
  const seen = (): Promise<string> => table.getByRole('row').nth(20).innerText()
  await expect.poll(seen).toMatch(/model-\d+/)
  given.node.traffic.begin({ id: 'late', direction: 'in', service: 'llm', method: 'GET', route: '/v1/late' }).finish()
  await expect.poll(() => box.evaluate((element) => element.scrollTop)).toBe(4_040)
})

test('the page is small and there at once', async () => {
  const assets = join(dirname(builtFile('renderer', 'index.html')), 'assets')
  const sizes = readdirSync(assets).map((name) => gzipSync(readFileSync(join(assets, name))).length)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(1_000_000)
  const paints: number[] = []
  for (let i = 0; i < 5; i += 1) {
    await given.page.reload()
    await given.page.getByTestId('base-url').waitFor()
    // What stands in the page is painted a moment later.
    paints.push(
      await given.page.evaluate(
        () =>
          new Promise<number>((painted) => {
            new PerformanceObserver((list) => {
              for (const entry of list.getEntriesByName('first-contentful-paint')) painted(entry.startTime)
            }).observe({ type: 'paint', buffered: true })
          }),
      ),
    )
  }
  // The best of some, so that a busy machine does not fail it.
  expect(Math.min(...paints)).toBeLessThan(1_000)
})
