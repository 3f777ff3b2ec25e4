import { mkdirSync } from 'node:fs'
import { startSmallNetwork } from '../e2e/small-network.js'
import { startNodeProcess } from '../fixtures/node-process.js'
import { launchChromium } from '../fixtures/chromium/launch.js'
const OUT = '/tmp/doc-shots'
mkdirSync(OUT, { recursive: true })
const network = await startSmallNetwork()
const lonely = await startNodeProcess({ flags: ['--demo-model', 'off', '--bootstrap.sources', 'http://127.0.0.1:1/', '--bootstrap.addr', '/ip4/127.0.0.1/tcp/0', '--bootstrap.addr', `/ip4/127.0.0.1/tcp/1`] })
const browser = await launchChromium()
try {
  const page = await browser.context.newPage()
  for (const [name, node] of [['net', network.me], ['alone', lonely]] as const) {
    await page.goto('about:blank')
    await page.goto(node.dashboard)
    await page.getByTestId('base-url').waitFor()
    await page.evaluate(() => (location.hash = '#/network/doctor'))
    await page.getByRole('button', { name: 'Copy report' }).waitFor()
    await new Promise((r) => setTimeout(r, 2500))
    for (const [w, h] of [[1280, 800], [900, 600]] as const) for (const theme of ['light', 'dark'] as const) {
      await page.setViewportSize({ width: w, height: h })
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
      await new Promise((r) => setTimeout(r, 200))
      await page.getByRole('heading', { name: 'Doctor' }).scrollIntoViewIfNeeded()
      await page.screenshot({ path: `${OUT}/${name}-${w}-${theme}.png` })
    }
    await page.setViewportSize({ width: 1280, height: 2200 })
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
    await new Promise((r) => setTimeout(r, 300))
    await page.screenshot({ path: `${OUT}/${name}-tall.png` })
    await page.setViewportSize({ width: 1280, height: 800 })
    await page.getByRole('button', { name: 'Ask peers to dial me' }).click()
    await page.screenshot({ path: `${OUT}/${name}-asking.png` })
    await page.getByText('The doctor is done').waitFor()
  }
  await page.goto('about:blank')
  await page.goto(network.me.dashboard)
  await page.getByTestId('base-url').waitFor()
  await page.evaluate((id) => (location.hash = `#/network/${id}`), network.peers[0]!.peerId)
  await page.getByRole('button', { name: 'Try every way' }).click()
  await page.getByRole('button', { name: 'Copy report' }).last().waitFor()
  await page.screenshot({ path: `${OUT}/peer.png` })
} finally {
  await browser.close()
  await lonely.stop()
  await network.stop()
}
