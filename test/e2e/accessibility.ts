import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults, RunOptions } from 'axe-core'
import type { Locator, Page } from 'playwright-core'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** The rules that look at colours: all that a second theme can break. */
export const COLOUR_RULES = ['color-contrast', 'link-in-text-block']

/**
 * The rules of accessibility that what is shown breaks, each with the elements that break it. `rules` names those to hold,
 * otherwise all are; `within` is the part to look at, otherwise an open dialog, which leaves nothing else to be used, or
 * the whole page. axe is loaded once for each document, and what holds is not written down: both take longer than the
 * rules.
 */
export async function brokenRules(page: Page, rules?: readonly string[], within?: Locator): Promise<string[]> {
  await drawn(page)
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE)
  const options: RunOptions = {
    resultTypes: ['violations'],
    ...(rules === undefined ? {} : { runOnly: { type: 'rule', values: [...rules] } }),
  }
  return (within ?? page.locator(':root')).evaluate(async (part, how) => {
    const { axe } = window as unknown as { axe: { run(of: Node, how: RunOptions): Promise<AxeResults> } }
    const whole = document.querySelector('dialog:modal') ?? document
    const { violations } = await axe.run(part === document.documentElement ? whole : part, how)
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)
  }, options)
}

/** Resolves when what changed was drawn: before that, colours that change together may be read half of each theme. */
async function drawn(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
}
