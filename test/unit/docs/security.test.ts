import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../../..')
const page = readFileSync(join(ROOT, 'docs/security.md'), 'utf8')
const [, how = ''] = page.split('\n## How\n')
const promises = how.split('\n\n').filter((paragraph) => paragraph.startsWith('**'))

/** The tests that a text names. */
const testsIn = (text: string): string[] => [...text.matchAll(/`(test\/[^`]+)`/g)].map(([, path = '']) => path)

test.each(promises.map((paragraph) => [/^\*\*(.+?)\*\*/.exec(paragraph)?.[1], paragraph]))(
  'docs/security.md names the test that holds what it says of: %s',
  (_, paragraph = '') => {
    expect(testsIn(paragraph)).not.toEqual([])
  },
)

test('every test that docs/security.md names is there', () => {
  expect(testsIn(page).filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
})
