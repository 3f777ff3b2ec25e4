import { monitorEventLoopDelay } from 'node:perf_hooks'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Desktop } from '../fixtures/electron-stand-in/launch.js'
import { until } from '../fixtures/until.js'
import { KINDS, makePlace, shown, type Place } from './desktop-app.js'

const STREAMS = 100
const PRESSES = 100
/** Above this, at the 99th percentile, the decision that the node runs in the main process is open again. */
const REOPENS_MS = 50

/** Milliseconds at the median and the 99th percentile. */
function figures(values: readonly number[]): { p50: number; p99: number } {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number => Math.round(sorted[Math.floor(sorted.length * share)] ?? Number.NaN)
  return { p50: at(0.5), p99: at(0.99) }
}

/** Answers of the demo model that are read as they come, each followed by the next. */
function keepStreaming(baseUrl: string): { chunks(): number; stop(): Promise<unknown> } {
  const over = new AbortController()
  let chunks = 0
  const readers = Array.from({ length: STREAMS }, async () => {
    for (;;) {
      try {
        const body = JSON.stringify({ model: 'ocf-demo', stream: true, messages: [{ role: 'user', content: 'hello' }] })
        const init = { method: 'POST', body, headers: { 'content-type': 'application/json' }, signal: over.signal }
        const response = await fetch(`${baseUrl}/chat/completions`, init)
        for await (const chunk of response.body ?? []) if (chunk.byteLength > 0) chunks += 1
      } catch (error) {
        if (over.signal.aborted) return
        throw error
      }
    }
  })
  return {
    chunks: () => chunks,
    stop() {
      over.abort()
      return Promise.all(readers)
    },
  }
}

/** What the stand-in shows is only that this measures: there the page's input does not go through the main process. */
describe.each(KINDS)('input in the window of $kind while a hundred streams run', ({ kind, launch, skip }) => {
  let desktop: Desktop
  let place: Place

  beforeAll(async () => {
    if (skip !== undefined) return
    place = makePlace({ tray: false })
    desktop = await launch([...place.words, '--demo-model=on'], place.env)
  })
  afterAll(async () => {
    if (skip !== undefined) return
    await desktop.close()
    place.remove()
  })

  test('each key that is pressed reaches the page, and how long that takes is told', async (context) => {
    context.skip(skip !== undefined, skip)
    const baseUrl = await shown(desktop)
    await desktop.page.evaluate(() => {
      const arrived: number[] = []
      Reflect.set(window, 'arrived', arrived)
      window.addEventListener('keydown', () => arrived.push(Date.now()), { capture: true })
    })
    const own = monitorEventLoopDelay({ resolution: 1 })
    own.enable()
    const streams = keepStreaming(baseUrl)
    await until(() => streams.chunks() > STREAMS, { what: 'the streams run' })
    const pressed: number[] = []
    for (let press = 0; press < PRESSES; press += 1) {
      pressed.push(Date.now())
      await desktop.page.keyboard.press('Shift')
    }
    own.disable()
    const during = streams.chunks()
    await streams.stop()
    const arrived = await desktop.page.evaluate(() => Reflect.get(window, 'arrived') as number[])
    expect(arrived).toHaveLength(PRESSES)
    expect(during).toBeGreaterThan(STREAMS)
    const { p50, p99 } = figures(arrived.map((ms, index) => ms - (pressed[index] ?? ms)))
    const ownMs = Math.round(own.percentile(99) / 1e6)
    const verdict = p99 > REOPENS_MS ? `above the ${REOPENS_MS} ms at which docs/decisions/0010 is open again` : 'fine'
    process.stdout.write(
      `${kind}: a key takes ${p50} ms to the page, ${p99} ms at the 99th percentile (${verdict}); ` +
        `${ownMs} ms of it can be this test's own process\n`,
    )
  })
})
