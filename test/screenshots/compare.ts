import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'

/** How a picture differs from the one before. */
interface Difference {
  name: string
  /** Share of the pixels that changed; null for a picture that is new, gone or of another size. */
  changed: number | null
  why: 'changed' | 'new' | 'gone' | 'size'
}

/** Pixels whose colours are this close are the same: text is smoothed a little otherwise from run to run. */
const TOLERANCE = 24

/**
 * Compares the pictures of two folders and lists what changed, most first. Of each that changed, a picture of the
 * difference is written to `out`: what is the same is pale, what changed is red. `page`: any page; it decodes the pictures.
 */
export async function comparePictures(
  page: Page,
  { before, after, out }: { before: string; after: string; out: string },
): Promise<Difference[]> {
  const namesIn = (folder: string): string[] =>
    existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.png')) : []
  const [old, now] = [new Set(namesIn(before)), new Set(namesIn(after))]
  const differences: Difference[] = []
  for (const name of [...new Set([...old, ...now])].sort()) {
    if (!now.has(name) || !old.has(name)) {
      differences.push({ name, changed: null, why: now.has(name) ? 'new' : 'gone' })
      continue
    }
    const [a, b] = [readFileSync(join(before, name)), readFileSync(join(after, name))]
    if (a.equals(b)) continue
    const { changed, picture } = await page.evaluate(compareInPage, [
      a.toString('base64'),
      b.toString('base64'),
      TOLERANCE,
    ] as const)
    if (changed === 0) continue
    differences.push({ name, changed, why: changed === null ? 'size' : 'changed' })
    if (picture !== null) writeFileSync(join(out, name), Buffer.from(picture.split(',')[1] ?? '', 'base64'))
  }
  return differences.sort((a, b) => (b.changed ?? 1) - (a.changed ?? 1))
}

/** Runs in the browser. */
async function compareInPage([before, after, tolerance]: readonly [string, string, number]): Promise<{
  changed: number | null
  picture: string | null
}> {
  const pixelsOf = async (base64: string): Promise<ImageData> => {
    const image = new Image()
    image.src = `data:image/png;base64,${base64}`
    await image.decode()
    const canvas = new OffscreenCanvas(image.width, image.height)
    const context = canvas.getContext('2d')
    if (context === null) throw new Error('no canvas')
    context.drawImage(image, 0, 0)
    return context.getImageData(0, 0, image.width, image.height)
  }
  const [a, b] = [await pixelsOf(before), await pixelsOf(after)]
  if (a.width !== b.width || a.height !== b.height) return { changed: null, picture: null }
  const canvas = document.createElement('canvas')
  canvas.width = b.width
  canvas.height = b.height
  const out = new ImageData(b.width, b.height)
  let changed = 0
  const [one, other, drawn] = [
    new Uint32Array(a.data.buffer),
    new Uint32Array(b.data.buffer),
    new Uint32Array(out.data.buffer),
  ]
  const isNear = (p: number, q: number, shift: number): boolean =>
    Math.abs(((p >>> shift) & 0xff) - ((q >>> shift) & 0xff)) <= tolerance
  for (let at = 0; at < other.length; at += 1) {
    const [p, q] = [one[at] ?? 0, other[at] ?? 0]
    if (p === q || (isNear(p, q, 0) && isNear(p, q, 8) && isNear(p, q, 16))) {
      // A quarter of its colour on white: red, green and blue at once.
      drawn[at] = 0xffc0c0c0 + ((q >>> 2) & 0x3f3f3f)
      continue
    }
    changed += 1
    drawn[at] = 0xff1e1edc
  }
  canvas.getContext('2d')?.putImageData(out, 0, 0)
  return { changed: changed / (b.width * b.height), picture: canvas.toDataURL('image/png') }
}
