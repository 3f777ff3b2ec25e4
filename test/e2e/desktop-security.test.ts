import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Desktop } from '../fixtures/electron-stand-in/launch.js'
import { KINDS, makePlace, shown, type Place } from './desktop-app.js'

const SLOW = { timeout: 20_000 }
const FOREIGN = 'data:text/html,<p>foreign</p>'
const NO_RECORD = 'Electron does not tell what a window was made with: NOT TESTED in the real Electron'

/** What `window.ocf` is to these tests. */
interface Bridge {
  call(name: string, input: unknown): Promise<{ ok: boolean; error?: { code: string } }>
}
/** What the stand-in keeps of a window. */
interface Recorded {
  options: { webPreferences: Record<string, unknown> }
}
interface Paged {
  page: { url: () => string }
}
type Listener = (event: object, ...args: unknown[]) => unknown

/** Window, bridge and permissions; what pages may load and where they may lead is in `desktop.test.ts`. */
describe.each(KINDS)('the shell of the desktop app in $kind', ({ kind, launch, skip }) => {
  let desktop: Desktop
  let place: Place

  beforeAll(async () => {
    if (skip !== undefined) return
    place = makePlace({ tray: false })
    desktop = await launch(place.words, place.env)
    await shown(desktop)
  })
  afterAll(async () => {
    if (skip !== undefined) return
    await desktop.close()
    place.remove()
  })
  beforeEach((context) => {
    context.skip(skip !== undefined, skip)
  })

  test('single instance: a second start shows the first window, hands over its link, and ends', async () => {
    await desktop.inMain(({ BrowserWindow }) => {
      const [window] = BrowserWindow.getAllWindows()
      if (window === undefined) return
      Reflect.set(globalThis, 'timesFocused', 0)
      window.focus = () => void Reflect.set(globalThis, 'timesFocused', 1)
      window.minimize()
    })
    const second = await desktop.startAgain('ocf://network')
    expect(second.code, second.stderr).toBe(0)
    await expect.poll(() => desktop.inMain(() => Reflect.get(globalThis, 'timesFocused') as number), SLOW).toBe(1)
    const facts = await desktop.inMain(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows().map((window) => window.isMinimized()),
    )
    expect(facts).toEqual([false])
    await expect.poll(() => new URL(desktop.page.url()).hash, SLOW).toBe('#/network')
  })

  test('window options: sandboxed, context isolated, without Node, and nothing that weakens them', async (context) => {
    context.skip(desktop.kind === 'electron', NO_RECORD)
    const made = await desktop.inMain(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows().map((window) => (window as unknown as Recorded).options.webPreferences),
    )
    expect(made).toEqual([
      {
        preload: expect.stringMatching(/preload\.cjs$/),
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        spellcheck: false,
      },
    ])
  })

  test('preload: exactly two functions, and nothing else of the app or of Node is in the page', async () => {
    const seen = await desktop.page.evaluate(() => {
      const bridge = Reflect.get(window, 'ocf') as Record<string, unknown>
      return {
        members: Object.entries(bridge).map(([name, member]) => `${name}: ${typeof member}`),
        node: ['process', 'require', 'module', '__dirname', 'Buffer'].map((name) => typeof Reflect.get(window, name)),
      }
    })
    expect(seen.members).toEqual(['call: function', 'follow: function'])
    expect(new Set(seen.node)).toEqual(new Set(['undefined']))
  })

  test.each([FOREIGN, 'https://evil.invalid/', 'app://ocf.evil.invalid/', 'file:///etc/passwd'])(
    'foreign frame: whoever follows a feed from %s is refused',
    async (url) => {
      const refused = await desktop.inMain(({ ipcMain, BrowserWindow }, frameUrl) => {
        // The app's own listener, called as Electron would for such a frame.
        const followers = ipcMain.listeners('ocf:follow') as Listener[]
        const [window] = BrowserWindow.getAllWindows()
        const sent: unknown[] = []
        const sender = Object.create(window?.webContents ?? null, {
          send: { value: (_channel: string, message: unknown) => sent.push(message) },
        }) as object
        for (const follow of followers) follow({ sender, senderFrame: { url: frameUrl } }, 77, 'status')
        for (const follow of followers) follow({ sender, senderFrame: null }, 78, 'status')
        return sent
      }, url)
      const error = expect.objectContaining({ code: 'forbidden_origin' }) as unknown
      expect(refused).toEqual([
        { id: 77, error },
        { id: 78, error },
      ])
    },
  )

  test.skipIf(kind === 'the real Electron').for([FOREIGN, 'https://evil.invalid/', 'app://ocf.evil.invalid/'])(
    'foreign frame: a call from %s is refused',
    async (url) => {
      // Only the stand-in can be told another address.
      const pretend = (address: string | null): Promise<void> =>
        desktop.inMain(({ BrowserWindow }, to) => {
          const contents = BrowserWindow.getAllWindows()[0]?.webContents as unknown as Paged
          if (to === null) Reflect.deleteProperty(contents.page, 'url')
          else contents.page.url = () => to
        }, address)
      const call = () => desktop.page.evaluate(() => (Reflect.get(window, 'ocf') as Bridge).call('node.status', {}))
      await pretend(url)
      const refused = await call().finally(() => pretend(null))
      expect(refused).toMatchObject({ ok: false, error: { code: 'forbidden_origin' } })
      expect(await call()).toMatchObject({ ok: true })
    },
  )

  test('permissions: a page is denied camera, microphone, place, notifications and reading the clipboard', async () => {
    const states = await desktop.page.evaluate(async () => {
      const names = ['camera', 'microphone', 'geolocation', 'notifications', 'clipboard-read']
      const asked = names.map((name) => navigator.permissions.query({ name: name as PermissionName }))
      return (await Promise.all(asked)).map(({ name, state }) => `${name}: ${state}`)
    })
    expect(states.filter((state) => state.endsWith(': granted'))).toEqual([])
    const heard = await desktop.page.evaluate(() =>
      navigator.clipboard.readText().then(
        () => 'read',
        () => 'refused',
      ),
    )
    expect(heard).toBe('refused')
  })

  test('inline code: neither a handler in an attribute nor a script of a foreign place runs', async () => {
    const outcome = await desktop.page.evaluate(async () => {
      const directives: string[] = []
      const both = new Promise<void>((done) => {
        document.addEventListener('securitypolicyviolation', (event) => {
          directives.push(event.effectiveDirective)
          if (directives.length === 2) done()
        })
      })
      const button = document.createElement('button')
      button.setAttribute('onclick', 'window.injected = true')
      document.body.append(button)
      button.click()
      const script = document.createElement('script')
      script.src = 'https://evil.invalid/x.js'
      document.head.append(script)
      await both
      button.remove()
      script.remove()
      return { directives: directives.sort(), injected: 'injected' in window }
    })
    expect(outcome).toEqual({ directives: ['script-src-attr', 'script-src-elem'], injected: false })
  })

  test('a right-click offers what can be done with the text there, and nothing where there is none', async (context) => {
    context.skip(desktop.kind === 'electron', 'Electron has no way to read a menu that pops up: NOT TESTED there')
    const popups = await desktop.inMain(({ BrowserWindow, told }) => {
      const contents = BrowserWindow.getAllWindows()[0]?.webContents as unknown as NodeJS.EventEmitter
      const editFlags = { canCut: false, canCopy: true, canPaste: true }
      contents.emit('context-menu', {}, { isEditable: true, selectionText: '', editFlags })
      contents.emit('context-menu', {}, { isEditable: false, selectionText: 'http://127.0.0.1', editFlags })
      contents.emit('context-menu', {}, { isEditable: false, selectionText: ' ', editFlags })
      return told?.popups
    })
    expect(popups).toEqual([['copy', 'paste', 'selectAll'], ['copy']])
  })

  test('after all that the page still works', async () => {
    const reply = await desktop.page.evaluate(() => (Reflect.get(window, 'ocf') as Bridge).call('node.status', {}))
    expect(reply.ok).toBe(true)
  })
})
