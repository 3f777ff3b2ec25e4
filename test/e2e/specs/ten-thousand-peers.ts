import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'

/** On the Network page of a node that knows ten thousand peers, the last of which ends in 9999. */
export async function scrollThroughTenThousandPeers(page: Page): Promise<void> {
  const box = page.getByRole('group', { name: 'Peers', exact: true })
  await box.waitFor()
  const rows = page.getByRole('table', { name: 'Peers' }).getByRole('row')
  expect(await rows.count()).toBeLessThan(60)
  const middleMs = await middleFrameMs(box)
  await expect.poll(() => rows.last().innerText(), { timeout: 10_000 }).toMatch(/9999/)
  expect(await rows.count()).toBeLessThan(60)
  // A frame of an idle machine is far quicker; a busy one must not fail this.
  expect(middleMs).toBeLessThan(200)
}

/** Scrolls to the end in sixty steps; the middle of the times between two frames. */
export async function middleFrameMs(box: Locator): Promise<number> {
  return box.evaluate(async (element) => {
    const frames: number[] = []
    let before = performance.now()
    for (let i = 0; i < 60; i++) {
      element.scrollTop = (i / 60) * element.scrollHeight
      await new Promise(requestAnimationFrame)
      frames.push(performance.now() - before)
      before = performance.now()
    }
    element.scrollTop = element.scrollHeight
    return frames.sort((a, b) => a - b)[30] ?? Infinity
  })
}
