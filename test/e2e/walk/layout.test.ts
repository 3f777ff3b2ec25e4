import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { ALICE } from '../../contract/fake-node.js'
import { builtFile } from '../../fixtures/built.js'
import { brokenRules, COLOUR_RULES } from '../accessibility.js'
import { settle, startWalk } from './walk.js'

const walk = startWalk()
const PLACES = [
  ...[
    'home',
    'chat',
    'chat/~compare',
    'share',
    'share/~ledger',
    'models',
    'network',
    'traffic',
    'settings',
    'settings/~advanced',
  ],
  ...[`models/${encodeURIComponent('qwen3:8b')}`, `network/${ALICE}`, 'network/invite', 'traffic/request-5'],
]

const SIZES = [
  [1280, 800],
  [900, 600],
  [640, 400],
  [390, 844],
] as const

test.each(PLACES)(
  '%s fits windows, phones and 200 %, and breaks no rule of accessibility in either theme',
  async (place) => {
    await walk.dashboard.goTo(`#/${place}`)
    await settle(walk.page)
    for (const [width, height] of SIZES) {
      await walk.page.setViewportSize({ width, height })
      const found = await walk.page.evaluate(() => {
        const boxes = [...document.querySelectorAll('html, main, dialog > div')]
        const beyond = boxes.filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.tagName)
        const heading = document.querySelector('main h1')?.getBoundingClientRect()
        const tables = [...document.querySelectorAll('table')].filter(
          (table) => table.scrollWidth > (table.parentElement?.clientWidth ?? Infinity),
        )
        const isNarrow = heading !== undefined && heading.width < Math.min(240, window.innerWidth * 0.6)
        return { beyond, isNarrow, tables: tables.length }
      })
      // On a phone a table scrolls in its own box.
      expect({ ...found, tables: width < 900 ? 0 : found.tables }, `at ${width}`).toEqual({
        ...{ beyond: [], isNarrow: false, tables: 0 },
      })
    }
    await walk.page.setViewportSize({ width: 1280, height: 800 })
    for (const colorScheme of ['light', 'dark'] as const) {
      await walk.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await walk.page.waitForFunction((theme) => document.documentElement.dataset['theme'] === theme, colorScheme)
      expect(await brokenRules(walk.page, colorScheme === 'dark' ? COLOUR_RULES : undefined), colorScheme).toEqual([])
    }
    await walk.page.emulateMedia({ colorScheme: 'light', reducedMotion: null })
  },
)

test('nothing moves about while a page loads', async () => {
  await walk.page.addInitScript(() => {
    const shifts: number[] = []
    Object.assign(window, { shifts })
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) shifts.push((entry as PerformanceEntry & { value: number }).value)
    }).observe({ type: 'layout-shift', buffered: true })
  })
  const found: Record<string, number> = {}
  for (const place of PLACES) {
    await walk.open(`#/${place}`)
    await walk.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
    const shifts = await walk.page.evaluate(() => (window as unknown as { shifts: number[] }).shifts)
    found[place] = shifts.reduce((sum, shift) => sum + shift, 0)
  }
  expect(Object.entries(found).filter(([, shift]) => shift > 0.05)).toEqual([])
})

test('the first page takes at most 120 kB of packed JavaScript', () => {
  const html = readFileSync(builtFile('renderer', 'index.html'), 'utf8')
  const scripts = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+\.js)"/g)].map(([, path]) => path ?? '')
  expect(scripts.length).toBeGreaterThan(0)
  const sizes = scripts.map(
    (path) => gzipSync(readFileSync(join(dirname(builtFile('renderer', 'index.html')), path))).length,
  )
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(120_000)
})
