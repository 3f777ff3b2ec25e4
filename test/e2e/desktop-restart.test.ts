import { afterEach, beforeEach, expect, test } from 'vitest'
import { launchStandIn, type Desktop } from '../fixtures/electron-stand-in/launch.js'
import { until } from '../fixtures/until.js'
import { makePlace, noStandIn, shown, type Place } from './desktop-app.js'

let place: Place
let desktop: Desktop | undefined

beforeEach((context) => {
  context.skip(noStandIn !== undefined, noStandIn)
  place = makePlace({ tray: false, mode: 'node' })
})
afterEach(async () => {
  await desktop?.close()
  place.remove()
})

/** What `window.ocf` is to this test. */
interface Bridge {
  call(name: string, input: unknown): Promise<{ ok: boolean; output?: unknown }>
}

const call = (name: string): Promise<unknown> =>
  desktop!.page.evaluate(async (asked) => (await (Reflect.get(window, 'ocf') as Bridge).call(asked, {})).output, name)

test('a restart that the node needs ends the desktop app cleanly and has it started again, in the same place', async () => {
  desktop = await launchStandIn(place.words, place.env)
  await shown(desktop)
  const { peerId } = (await call('node.status')) as { peerId: string }
  expect(await call('node.restart')).toEqual({ restarting: true })
  const first = desktop
  await until(() => first.stderr().includes('stand-in: relaunch'), { what: 'a new start is asked for' })
  expect(await first.exited).toBe(0)
  const [, args = ''] = /stand-in: relaunch (\[.*?\]) of/.exec(first.stderr()) ?? []
  expect(JSON.parse(args)).toEqual(expect.arrayContaining(place.words))
  await first.close()

  // The words of the new start, without the path of the app, which the stand-in has itself.
  const words = (JSON.parse(args) as string[]).filter((word) => word.startsWith('--'))
  desktop = await launchStandIn(words, place.env)
  await shown(desktop)
  expect(await call('node.status')).toMatchObject({ peerId })
})
