import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../../../src-renderer')
const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((path) => /\.tsx?$/.test(path))

/** Every way a page can take text for markup, or for a program. */
const AS_MARKUP =
  /dangerouslySetInnerHTML|\.(?:inner|outer)HTML\b|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|srcDoc|\beval\(|new Function\(|javascript:/i

test('nothing of the dashboard takes text for markup, so what peers write is shown as it is', () => {
  expect(files.length).toBeGreaterThan(100)
  expect(files.filter((path) => AS_MARKUP.test(readFileSync(join(ROOT, path), 'utf8')))).toEqual([])
})
