import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { launchStandIn, type Desktop } from '../fixtures/electron-stand-in/launch.js'
import { makePlace, noStandIn, shown, type Place } from './desktop-app.js'

/**
 * The command `ocf` of an installed app: its main process with the word `--cli` (docs/decisions/0030). The stand-in can't
 * show that Electron starts without a display, or that Windows shows what it writes: NOT TESTED in the real Electron.
 */
let place: Place
let desktop: Desktop
let dataDir: string

beforeAll(async () => {
  if (noStandIn !== undefined) return
  place = makePlace({ tray: false })
  dataDir = join(place.dir, 'node')
  desktop = await launchStandIn(place.words, place.env)
  await shown(desktop)
})
afterAll(async () => {
  if (noStandIn !== undefined) return
  await desktop.close()
  place.remove()
})
beforeEach((context) => context.skip(noStandIn !== undefined, noStandIn))

test('the command of an installed app talks to the node of the running app, and opens no window', async () => {
  const { code, stdout, stderr } = await desktop.runCommand(['status', '--json'])
  expect(code, stderr).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ state: { kind: 'standalone' } })
  expect(await desktop.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1)
})

test('a node that the command would start beside the running app is refused, and the sentence names the app', async () => {
  const { code, stdout, stderr } = await desktop.runCommand(['start', ...place.words])
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toContain(`ocf: ${dataDir} is used by another running node`)
  expect(stderr).toContain('It may be the desktop app. `ocf status` asks the one that runs')
})

test('a word that the command does not know is a slip of the person, who reads about it', async () => {
  const { code, stderr } = await desktop.runCommand(['status', '--no-such-flag'])
  expect(code).toBe(2)
  expect(stderr).toContain('flag --no-such-flag: There is no such flag.')
})

test('a box that says why the app could not start stays until the person closes it, and the app ends then', async () => {
  const closed = join(place.dir, 'box-closed')
  const until = 'error box: Open Compute could not start'
  const words = [...place.words, '--no-such-flag']
  const failing = await launchStandIn(words, { ...place.env, STAND_IN_ERROR_BOX: closed }, until)
  expect(existsSync(closed)).toBe(false)
  expect(failing.stderr()).toContain('flag --no-such-flag: There is no such flag.')
  writeFileSync(closed, '')
  expect(await failing.exited).toBe(2)
  await failing.close()
})
