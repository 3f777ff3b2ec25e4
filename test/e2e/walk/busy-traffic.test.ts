import { setInterval as every } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ALICE } from '../../contract/fake-node.js'
import { startWalk } from './walk.js'

const ROWS = 1000
const PER_SECOND = 50
const SECONDS = 20
/** Milliseconds from which on a task is called long. */
const LONG_MS = 50

const started = { direction: 'out', service: 'llm', method: 'POST', route: '/v1/chat/completions' } as const
const walk = startWalk(({ traffic }) => {
  for (let index = 0; index < ROWS; index += 1) {
    traffic
      .begin({ id: `before-${index}`, ...started, model: `model-${index % 40}`, peer: ALICE })
      .finish({ status: 200 })
  }
})

test('Traffic shows fifty requests a second above a thousand rows, and tells how long its tasks are', async () => {
  await walk.open('#/traffic')
  await walk.page.evaluate(() => {
    const tasks: number[] = []
    Object.assign(window, { tasks })
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
      entryTypes: ['longtask'],
    })
  })
  let sent = 0
  for await (const _tick of every(1000 / PER_SECOND)) {
    const request = walk.node.traffic.begin({
      id: `busy-${sent}`,
      ...started,
      model: `model-${sent % 40}`,
      peer: ALICE,
    })
    request.firstByte()
    request.addBytes(800, 4000)
    request.finish({ status: 200, tokens: 200 })
    sent += 1
    if (sent === PER_SECOND * SECONDS) break
  }
  // All of them are there: 14 of the walk’s node, those before and those sent.
  await expect.poll(walk.heading).toMatch(new RegExp(`^${(14 + ROWS + sent).toLocaleString('en')} requests today`))
  const tasks = await walk.page.evaluate(() => (window as unknown as { tasks: number[] }).tasks)
  const longest = Math.round(Math.max(0, ...tasks))
  process.stdout.write(
    `Traffic, ${ROWS} rows, ${PER_SECOND} requests/s, ${SECONDS} s: ${tasks.length} tasks over ${LONG_MS} ms, longest ${longest} ms\n`,
  )
})
