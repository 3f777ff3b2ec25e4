import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { launchStandIn, type Desktop } from '../fixtures/electron-stand-in/launch.js'
import { OWNER_FILE } from '../fixtures/file-modes.js'
import { JAN } from '../fixtures/model-servers/stand-ins/servers.js'
import { startStandIn, type StandIn } from '../fixtures/model-servers/stand-ins/stand-in.js'
import { makePlace, noStandIn, shown, type Place } from './desktop-app.js'

/** The key of a server over three starts of the app on the stand-in, whose key store is what the test says. */
const KEY = 'jan-secret'
let place: Place
let server: StandIn
let desktop: Desktop
let file: string

beforeAll(async () => {
  if (noStandIn !== undefined) return
  place = makePlace({ tray: false })
  file = join(place.dir, 'node', 'secrets.json')
  server = await startStandIn(JAN())
})
afterAll(async () => {
  if (noStandIn !== undefined) return
  await desktop.close()
  await server.close()
  place.remove()
})
beforeEach((context) => context.skip(noStandIn !== undefined, noStandIn))

interface Bridge {
  call(name: string, input: unknown): Promise<{ ok: boolean; output?: unknown }>
}
const call = (name: string, input: unknown) =>
  desktop.page.evaluate(([n, i]) => (Reflect.get(window, 'ocf') as Bridge).call(n, i), [name, input] as const)
const shares = async () => (await call('shares.list', {})).output

async function start(keyStore: string): Promise<void> {
  desktop = await launchStandIn(place.words, { ...place.env, STAND_IN_KEY_STORE: keyStore })
  await shown(desktop)
}

test('on a desktop without a password store a key lies in a file of its owner alone, and that is said', async () => {
  await start('public')
  const target = { host: 'localhost', port: server.port, apiKey: KEY }
  expect(await call('shares.add', { ...target, models: 'all' })).toMatchObject({ ok: true })
  expect(readFileSync(file, 'utf8')).toContain(KEY)
  expect(statSync(file).mode & 0o777).toBe(OWNER_FILE)
  await expect.poll(() => desktop.stderr()).toContain('notification Keys are kept in a file')
  await desktop.close()
})

test('as soon as there is a key store the key is sealed, and it still opens the server', async () => {
  await start('mine')
  await expect.poll(shares, { timeout: 20_000 }).toMatchObject([{ hasKey: true, status: 'connected' }])
  expect(readFileSync(file, 'utf8')).not.toContain(KEY)
  expect(statSync(file).mode & 0o777).toBe(OWNER_FILE)
  expect(desktop.stderr()).not.toContain('notification')
  await desktop.close()
})

test('with another key store the app starts, says what to do and loses nothing', async () => {
  const before = readFileSync(file, 'utf8')
  await start('another')
  expect(await shares()).toMatchObject([{ hasKey: false }])
  expect(desktop.stderr()).toContain('the kept key of a server cannot be read')
  expect(desktop.stderr()).toContain('type the key in again')
  expect(desktop.stderr()).not.toContain(KEY)
  expect(readFileSync(file, 'utf8')).toBe(before)
})
