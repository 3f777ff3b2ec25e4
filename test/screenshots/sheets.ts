import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { BrowserContext } from 'playwright-core'

/** Pixels of a sheet's width. */
const WIDTH = 1560
/** Widths at which pictures of these widths are shown: two of each beside each other. */
const SHOWN: Readonly<Record<number, number>> = { 1280: 772, 900: 520, 390: 246 }

/** Puts the pictures of each page and state, all sizes and both themes, onto one sheet: `home-many.png`. */
export async function makeSheets(
  context: BrowserContext,
  { from, out, sizes }: { from: string; out: string; sizes: readonly (readonly [width: number, height: number])[] },
): Promise<void> {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  const page = await context.newPage()
  await page.setViewportSize({ width: WIDTH, height: 800 })
  const names = readdirSync(from).flatMap((name) => /^(.+)-1280-light\.png$/.exec(name)?.[1] ?? [])
  for (const name of names) {
    const pictures = sizes.flatMap(([width]) =>
      (['light', 'dark'] as const).map((theme) => {
        const data = readFileSync(join(from, `${name}-${width}-${theme}.png`)).toString('base64')
        return `<img width="${SHOWN[width] ?? width / 2}" src="data:image/png;base64,${data}">`
      }),
    )
    await page.setContent(
      `<style>body{margin:0;background:#888}img{margin:3px;vertical-align:top}</style>${pictures.join('')}`,
    )
    await page.screenshot({ path: join(out, `${name}.png`), fullPage: true })
  }
  await page.close()
}
