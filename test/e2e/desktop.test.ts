import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Desktop } from '../fixtures/electron-stand-in/launch.js'
import { KINDS, makePlace, shown, type Place } from './desktop-app.js'
import { scrollThroughTenThousandPeers } from './specs/ten-thousand-peers.js'

/** What `window.ocf` is to these tests; the page has it, this file does not. */
interface Bridge {
  call(name: unknown, input: unknown): Promise<{ ok: boolean; output?: unknown; error?: { code: string } }>
  follow(feed: unknown, listener: (news: { error?: { code: string } }) => void): () => void
}

/** Windows and macOS always have a place for the icon; on Linux the test says that there is none. */
const HAS_TRAY = process.platform !== 'linux'

describe.each(KINDS)('the desktop app in $kind', ({ launch, skip }) => {
  let desktop: Desktop
  let place: Place

  const call = (name: unknown, input: unknown) =>
    desktop.page.evaluate(([n, i]) => (Reflect.get(window, 'ocf') as Bridge).call(n, i), [name, input])

  beforeAll(async () => {
    if (skip !== undefined) return
    place = makePlace({ tray: false })
    desktop = await launch(place.words, place.env)
  })
  afterAll(async () => {
    if (skip !== undefined) return
    await desktop.close()
    place.remove()
  })

  test('opens a window that shows the node of its own process', async (context) => {
    context.skip(skip !== undefined, skip)
    expect(await shown(desktop)).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/)
    const visible = () =>
      desktop.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows().map((window) => window.isVisible()))
    await expect.poll(visible).toEqual([true])
    await desktop.page.getByText('This computer only').first().waitFor()
  })

  test('the page has two functions and nothing of Node', async (context) => {
    context.skip(skip !== undefined, skip)
    const seen = await desktop.page.evaluate(() => {
      const bridge = Reflect.get(window, 'ocf') as object
      const node = ['require', 'process', 'Buffer', 'module', 'electron', 'global'].filter((name) => name in window)
      return { bridge: Object.keys(bridge), frozen: Object.isFrozen(bridge), node }
    })
    expect(seen).toEqual({ bridge: ['call', 'follow'], frozen: true, node: [] })
  })

  test('ten thousand peers that the main process tells of are scrolled through without drawing them all', async (context) => {
    context.skip(skip !== undefined, skip)
    await desktop.inMain(({ ipcMain }) => {
      const blank = {
        connected: false,
        paths: [],
        multiaddrs: [],
        direction: null,
        connectedAtMs: null,
        standing: 'unproven',
      }
      const data = Array.from({ length: 10_000 }, (_, index) => {
        const peerId = `12D3KooWMany${String(index).padStart(40, '0')}`
        return { ...blank, peerId, offers: [], version: '' }
      })
      // This node knows nobody: the page is told of them after its own first message.
      ipcMain.on('ocf:follow', (event, id: number, feed: string) => {
        if (feed !== 'peers') return
        event.sender.send('ocf:feed', { id, message: { type: 'snapshot', revision: 1, data } })
      })
    })
    await desktop.page.reload()
    await desktop.page.getByRole('link', { name: 'Network', exact: true }).click()
    await scrollThroughTenThousandPeers(desktop.page)
    await desktop.inMain(({ ipcMain }) => {
      const added = ipcMain.listeners('ocf:follow').at(-1) as () => void
      ipcMain.removeListener('ocf:follow', added)
    })
    await desktop.page.getByRole('link', { name: 'Home', exact: true }).click()
    await desktop.page.reload()
    await shown(desktop)
  })

  test('every page is served from the app and shows live data', async (context) => {
    context.skip(skip !== undefined, skip)
    await desktop.page.getByRole('link', { name: 'Settings', exact: true }).click()
    await desktop.page.getByRole('link', { name: 'Advanced', exact: true }).click()
    await desktop.page.getByRole('log').getByText('the gateway listens').waitFor()
    await desktop.page.getByRole('link', { name: 'Home', exact: true }).click()
    await shown(desktop)
  })

  test('a page may talk to the gateway and to nobody else, and runs no inline script', async (context) => {
    context.skip(skip !== undefined, skip)
    const { page } = desktop
    const gateway = await shown(desktop)
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
    expect(await page.evaluate(async (url) => (await fetch(`${url}/models`)).status, gateway)).toBe(200)
  })

  test('a page cannot lead the window elsewhere', async (context) => {
    context.skip(skip !== undefined, skip)
    await desktop.inMain(({ BrowserWindow }) => {
      const [window] = BrowserWindow.getAllWindows()
      window?.webContents.once('will-navigate', (event) => Reflect.set(globalThis, 'triedToGoTo', event.url))
    })
    const before = desktop.page.url()
    await desktop.page.evaluate(() => location.assign('https://evil.invalid/'))
    await expect
      .poll(() => desktop.inMain(() => Reflect.get(globalThis, 'triedToGoTo') as string))
      .toBe('https://evil.invalid/')
    expect(desktop.page.url()).toBe(before)
    await shown(desktop)
  })

  test('a page opens no window; web links and new mails go to the system, and other links nowhere', async (context) => {
    context.skip(skip !== undefined, skip)
    await desktop.inMain(({ shell }) => {
      const opened: string[] = []
      Reflect.set(globalThis, 'openedOutside', opened)
      shell.openExternal = (url) => Promise.resolve(void opened.push(url))
    })
    const outcome = await desktop.page.evaluate(() => [
      window.open('smb://evil.invalid/share') === null,
      window.open('http://evil.invalid/') === null,
      window.open('mailto:ann@evil.invalid?subject=Hi') === null,
      window.open('mailto:?cc=ann@evil.invalid&body=Hi') === null,
      window.open('mailto:?attach=/etc/passwd') === null,
      window.open('mailto:?body=one&body=two') === null,
      window.open(`mailto:?body=${'x'.repeat(4_000)}`) === null,
      window.open('https://docs.invalid/help') === null,
      window.open('mailto:?subject=An%20invite&body=ocf1AAAA%0A') === null,
    ])
    expect(outcome.length).toBe(9)
    await expect
      .poll(() => desktop.inMain(() => Reflect.get(globalThis, 'openedOutside') as string[]))
      .toEqual(['https://docs.invalid/help', 'mailto:?subject=An%20invite&body=ocf1AAAA%0A'])
    expect(await desktop.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1)
  })

  test('a frame within the page gets no bridge, and foreign frames are not loaded', async (context) => {
    context.skip(skip !== undefined, skip)
    const inFrame = await desktop.page.evaluate(async () => {
      const frame = document.createElement('iframe')
      const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }))
      document.body.append(frame)
      frame.srcdoc = '<p>hello</p>'
      await loaded
      return frame.contentWindow !== null && 'ocf' in frame.contentWindow
    })
    expect(inFrame).toBe(false)
    const directive = await desktop.page.evaluate(() => {
      const frame = document.createElement('iframe')
      const blocked = new Promise<string>((resolve) => {
        document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective), {
          once: true,
        })
      })
      frame.src = 'https://evil.invalid/'
      document.body.append(frame)
      return blocked
    })
    expect(directive).toBe('frame-src')
    await desktop.page.evaluate(() => document.querySelectorAll('iframe').forEach((frame) => frame.remove()))
  })

  test('arguments of the wrong kind are answered with an error', async (context) => {
    context.skip(skip !== undefined, skip)
    expect(await call(42, null)).toMatchObject({ ok: false, error: { code: 'not_found' } })
    expect(await call('__proto__', {})).toMatchObject({ ok: false, error: { code: 'not_found' } })
    expect(await call('logs.recent', 'x')).toMatchObject({ ok: false, error: { code: 'invalid_request' } })
    expect(await call('app.setPreference', { name: 'autostart', value: 'yes' })).toMatchObject({ ok: false })
    const news = await desktop.page.evaluate(
      () =>
        new Promise((resolve) => {
          ;(Reflect.get(window, 'ocf') as Bridge).follow('nothing', resolve)
        }),
    )
    expect(news).toMatchObject({ error: { code: 'not_found' } })
  })

  test('links of the scheme ocf show a page, and only a known one', async (context) => {
    context.skip(skip !== undefined, skip)
    const open = (link: string) =>
      desktop.inMain(({ app }, word) => {
        app.emit('second-instance', {}, ['electron', app.getAppPath(), word])
      }, link)
    await open('ocf://models')
    await expect.poll(() => new URL(desktop.page.url()).hash).toBe('#/models')
    await open('ocf://settings?set=port')
    await open('ocf://../traffic')
    await open('ocf://home/')
    await expect.poll(() => new URL(desktop.page.url()).hash).toBe('#/home')
    await shown(desktop)
  })

  test('starting at login is set up when the person asks for it and taken away again', async (context) => {
    context.skip(skip !== undefined, skip)
    const capabilities = await call('node.capabilities', {})
    const always = ['open-external', 'notifications', 'autostart']
    expect(capabilities.output).toEqual(HAS_TRAY ? [...always, 'close-to-tray'] : always)
    expect(await call('app.preferences', {})).toMatchObject({ output: { autostart: false, notifications: true } })
    // There is no tray here, so there is no such preference.
    expect(await call('app.setPreference', { name: 'closeToTray', value: true })).toEqual({ ok: true, output: null })
    if (process.platform !== 'linux') return
    const entry = join(place.dir, 'config', 'autostart', 'ocf-desktop.desktop')
    expect(existsSync(entry)).toBe(false)
    await call('app.setPreference', { name: 'autostart', value: true })
    expect(readFileSync(entry, 'utf8')).toMatch(/^Exec=.* --background$/m)
    expect(await call('app.preferences', {})).toMatchObject({ output: { autostart: true } })
    await call('app.setPreference', { name: 'autostart', value: false })
    expect(existsSync(entry)).toBe(false)
    const kept: unknown = JSON.parse(readFileSync(join(place.dir, 'node-window', 'app.json'), 'utf8'))
    expect(kept).toMatchObject({ autostart: false, notifications: true, closeToTrayTold: false })
  })

  test('the settings page has what the app does by itself, as far as this desktop has it', async (context) => {
    context.skip(skip !== undefined, skip)
    const { page } = desktop
    await page.getByRole('link', { name: 'Settings', exact: true }).click()
    const section = page.getByRole('region', { name: 'This app' })
    await section.getByRole('checkbox', { name: 'Start when I log in' }).waitFor()
    expect(await section.getByRole('checkbox').count()).toBe(HAS_TRAY ? 3 : 2)
    const notices = section.getByRole('checkbox', { name: 'Show notifications' })
    expect(await notices.isChecked()).toBe(true)
    await notices.click()
    await expect
      .poll(() => call('app.preferences', {}))
      .toMatchObject({ output: { autostart: false, notifications: false } })
    await expect.poll(() => notices.isChecked()).toBe(false)
    await notices.click()
    await expect.poll(() => call('app.preferences', {})).toMatchObject({ output: { notifications: true } })
    await page.getByRole('link', { name: 'Home', exact: true }).click()
  })

  test('the node looks after its connections when the computer wakes up', async (context) => {
    context.skip(skip !== undefined, skip)
    await desktop.inMain(({ powerMonitor }) => void powerMonitor.emit('resume'))
    await expect.poll(() => desktop.stderr()).toContain('checked the connections after waking up')
  })

  test('a page that crashes is loaded again and the node goes on', async (context) => {
    context.skip(skip !== undefined, skip)
    context.skip(desktop.kind === 'electron', 'Playwright can’t see a page again whose process crashed: NOT TESTED')
    const before = await shown(desktop)
    await desktop.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.forcefullyCrashRenderer())
    await expect.poll(() => desktop.stderr()).toContain('the window crashed and is reloaded')
    await expect.poll(() => shown(desktop).catch(() => 'crashed'), { timeout: 20_000 }).toBe(before)
    expect(await call('node.status', {})).toMatchObject({ ok: true })
  })

  test('without a tray, closing the window stops the node and ends the app within five seconds', async (context) => {
    context.skip(skip !== undefined, skip)
    context.skip(HAS_TRAY, 'This system always has a tray, so that closing keeps the node')
    const startedAtMs = performance.now()
    await desktop.inMain(({ BrowserWindow }) => {
      setImmediate(() => BrowserWindow.getAllWindows()[0]?.close())
    })
    expect(await desktop.exited).toBe(0)
    expect(performance.now() - startedAtMs).toBeLessThan(8_000)
    expect(desktop.stderr()).not.toMatch(/rejected and nobody looked|failed to stop/)
  })

  test('settings that are wrong are shown in a box, since there may be no terminal', async (context) => {
    context.skip(skip !== undefined, skip)
    context.skip(desktop.kind === 'electron', 'The real box is modal, and no program can close it: NOT TESTED')
    await expect(launch([...place.words, '--nonsense'], place.env)).rejects.toThrow(/nonsense/)
  })
})
