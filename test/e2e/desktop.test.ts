import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { noChromium } from '../fixtures/chromium/launch.js'
import { findElectron, launchElectron, launchStandIn, type Desktop } from '../fixtures/electron-stand-in/launch.js'

const noElectron =
  findElectron() === undefined
    ? 'Electron’s binary is not on this machine (npx install-electron gets it): NOT TESTED in the real Electron'
    : undefined
if (process.env['OCF_REQUIRE_ELECTRON'] === '1' && noElectron !== undefined) throw new Error(noElectron)

const KINDS = [
  { kind: 'the stand-in', launch: launchStandIn, skip: noChromium },
  { kind: 'the real Electron', launch: launchElectron, skip: noElectron },
] as const

describe.each(KINDS)('the desktop app in $kind', ({ launch, skip }) => {
  let desktop: Desktop
  let dir: string

  const words = (): string[] =>
    [
      '--mode=standalone',
      '--port=0',
      '--api-port=0',
      '--tcpport=0',
      '--wsport=0',
      '--udpport=0',
      '--p2p-host=127.0.0.1',
    ].concat(`--data-dir=${join(dir, 'node')}`)

  beforeAll(async () => {
    if (skip !== undefined) return
    dir = mkdtempSync(join(tmpdir(), 'ocf-desktop-'))
    desktop = await launch(words())
  })
  afterAll(() => {
    if (skip === undefined) rmSync(dir, { recursive: true, force: true })
  })

  test('opens a window that shows the node of its own process', async (context) => {
    context.skip(skip !== undefined, skip)
    await desktop.page.getByTestId('base-url').waitFor()
    expect(await desktop.page.getByTestId('base-url').innerText()).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/)
    await desktop.page.getByText('This computer only').waitFor()
  })

  test('the page has two functions and nothing of Node', async (context) => {
    context.skip(skip !== undefined, skip)
    const seen = await desktop.page.evaluate(() => {
      const bridge = Reflect.get(window, 'ocf') as object
      const node = ['require', 'process', 'Buffer', 'module', 'electron'].filter((name) => name in window)
      return { bridge: Object.keys(bridge), frozen: Object.isFrozen(bridge), node }
    })
    expect(seen).toEqual({ bridge: ['call', 'follow'], frozen: true, node: [] })
  })

  test('every page is served from the app and shows live data', async (context) => {
    context.skip(skip !== undefined, skip)
    await desktop.page.getByRole('link', { name: 'Settings', exact: true }).click()
    await desktop.page.getByRole('table', { name: /Gateway/ }).waitFor()
    await desktop.page.getByRole('log').getByText('the gateway listens').waitFor()
    await desktop.page.getByRole('link', { name: 'Network', exact: true }).click()
    await desktop.page.getByText('this node runs in standalone mode', { exact: false }).waitFor()
  })

  test('a page may talk to the gateway and to nobody else', async (context) => {
    context.skip(skip !== undefined, skip)
    const { page } = desktop
    await page.getByRole('link', { name: 'Home', exact: true }).click()
    await page.getByTestId('base-url').waitFor()
    const violations = await page.evaluateHandle(() => {
      const seen: string[] = []
      document.addEventListener('securitypolicyviolation', (event) => seen.push(event.effectiveDirective))
      return seen
    })
    const outcome = await page.evaluate(async () => {
      const script = document.createElement('script')
      script.textContent = 'window.injected = true'
      document.head.append(script)
      const foreign = await fetch('http://127.0.0.1:9/').then(
        () => 'reached',
        () => 'refused',
      )
      return { foreign, injected: 'injected' in window }
    })
    expect(outcome).toEqual({ foreign: 'refused', injected: false })
    // The browser reports violations a moment later.
    await expect.poll(() => violations.jsonValue()).toEqual(['script-src-elem', 'connect-src'])
    const gateway = await page.getByTestId('base-url').innerText()
    expect(await page.evaluate(async (url) => (await fetch(`${url}/models`)).status, gateway)).toBe(200)
  })

  test('closing the window stops the node and ends the app within five seconds', async (context) => {
    context.skip(skip !== undefined, skip)
    const startedAtMs = performance.now()
    expect(await desktop.close()).toBe(0)
    expect(performance.now() - startedAtMs).toBeLessThan(8_000)
    expect(desktop.stderr()).not.toMatch(/rejected and nobody looked|failed to stop/)
  })

  test('settings that are wrong are shown in a box, since there may be no terminal', async (context) => {
    context.skip(skip !== undefined, skip)
    await expect(launch([...words(), '--nonsense'])).rejects.toThrow(/nonsense/)
  })
})
