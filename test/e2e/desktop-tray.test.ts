import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Desktop } from '../fixtures/electron-stand-in/launch.js'
import { KINDS, makePlace, shown, type Place } from './desktop-app.js'

const NO_TRAYS = 'Electron has no way to read or click a tray: NOT TESTED in the real Electron'

describe.each(KINDS)('the desktop app with a tray in $kind', ({ launch, skip, hasTrays }) => {
  let desktop: Desktop
  let place: Place

  const windows = () => desktop.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)
  const tray = () =>
    desktop.inMain(({ trays = new Set() }) => {
      const [shown] = trays
      return { image: shown?.image.replace(/^.*[\\/]/, ''), labels: shown?.menu.items.map(({ label }) => label) }
    })
  const choose = (label: string) =>
    desktop.inMain(({ trays = new Set() }, wanted) => {
      const [shown] = trays
      shown?.menu.items.find((item) => item.label === wanted)?.click()
    }, label)

  beforeAll(async () => {
    if (skip !== undefined) return
    place = makePlace({ tray: true })
    desktop = await launch(place.words, place.env)
    await shown(desktop)
  })
  afterAll(async () => {
    if (skip !== undefined) return
    await desktop.close()
    place.remove()
  })

  test('the tray has the state of the node and pauses it', async (context) => {
    context.skip(skip !== undefined, skip)
    context.skip(!hasTrays, NO_TRAYS)
    await expect.poll(tray).toEqual({
      image: 'connected.png',
      labels: [
        'This computer only',
        '',
        'Pause 15 minutes',
        'Pause 1 hour',
        'Pause until I resume',
        '',
        'Open',
        'Quit',
      ],
    })
    await choose('Pause 15 minutes')
    // The icon follows the status, the entries follow the pause: they may arrive one after the other.
    await expect.poll(tray).toEqual({
      image: 'paused.png',
      labels: [
        expect.stringMatching(/^Paused: you paused it for a while \(until .+\)$/),
        '',
        'Resume sharing',
        '',
        'Open',
        'Quit',
      ],
    })
    await choose('Resume sharing')
    await expect.poll(async () => (await tray()).image).toBe('connected.png')
    // The person did it and needs no message about it.
    expect(desktop.stderr()).not.toContain('notification')
  })

  test('closing the window says once that the node stays, and keeps it in the tray from then on', async (context) => {
    context.skip(skip !== undefined, skip)
    context.skip(process.platform === 'darwin', 'On macOS apps stay in the Dock, and closing asks nothing')
    await desktop.inMain(({ dialog }) => {
      Reflect.set(globalThis, 'boxes', 0)
      dialog.showMessageBox = () => {
        Reflect.set(globalThis, 'boxes', (Reflect.get(globalThis, 'boxes') as number) + 1)
        return Promise.resolve({ response: 0, checkboxChecked: false })
      }
    })
    const boxes = () => desktop.inMain(() => Reflect.get(globalThis, 'boxes') as number)
    const close = () => desktop.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close())
    await close()
    await expect.poll(windows).toBe(0)
    expect(await boxes()).toBe(1)
    const kept: unknown = JSON.parse(readFileSync(join(place.dir, 'node-window', 'app.json'), 'utf8'))
    expect(kept).toMatchObject({ closeToTray: true, closeToTrayTold: true })

    await desktop.inMain(({ app }) => void app.emit('second-instance', {}, []))
    await expect.poll(windows).toBe(1)
    await expect.poll(() => shown(desktop).catch(() => ''), { timeout: 20_000 }).toMatch(/^http:/)
    await close()
    await expect.poll(windows).toBe(0)
    expect(await boxes()).toBe(1)
  })

  test('the tray opens the window again, and quits', async (context) => {
    context.skip(skip !== undefined, skip)
    context.skip(!hasTrays, NO_TRAYS)
    await choose('Open')
    await expect.poll(windows).toBe(1)
    await expect.poll(() => shown(desktop).catch(() => ''), { timeout: 20_000 }).toMatch(/^http:/)
    await choose('Quit')
    expect(await desktop.exited).toBe(0)
    expect(desktop.stderr()).not.toMatch(/rejected and nobody looked|failed to stop/)
  })
})

describe.each(KINDS)('a failure of the main process in $kind', ({ launch, skip }) => {
  test('stops the node and starts the app again, saying so', async (context) => {
    context.skip(skip !== undefined, skip)
    const place = makePlace({ tray: false })
    const desktop = await launch([...place.words, '--restarted=1'], place.env)
    await shown(desktop)
    if (desktop.kind === 'stand-in') {
      await expect.poll(() => desktop.stderr()).toContain('notification Open Compute was restarted')
    }
    await desktop.inMain(({ app }) => {
      app.relaunch = (options) => void process.stderr.write(`again: ${JSON.stringify(options?.args)}\n`)
      setImmediate(() => {
        throw new Error('the test makes it fail')
      })
    })
    expect(await desktop.exited).toBe(1)
    const words = /again: (.*)/.exec(desktop.stderr())?.[1] ?? '[]'
    expect(JSON.parse(words)).toEqual(expect.arrayContaining([...place.words, '--restarted=2']))
    expect(desktop.stderr()).toContain('the app failed')
    await desktop.close()

    const last = await launch([...place.words, '--restarted=2'], place.env)
    await shown(last)
    await last.inMain(({ dialog }) => {
      dialog.showErrorBox = (title) => void process.stderr.write(`box: ${title}\n`)
      setImmediate(() => {
        throw new Error('the test makes it fail')
      })
    })
    expect(await last.exited).toBe(1)
    expect(last.stderr()).toContain('box: Open Compute keeps failing')
    expect(last.stderr()).not.toContain('relaunch')
    await last.close()
    place.remove()
  })
})
