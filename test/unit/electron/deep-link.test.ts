import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LINKED_PAGES, parseDeepLink } from '../../../src-main/electron/deep-link.js'

test('a link names a page of the dashboard, with or without the slash some systems add', () => {
  expect(parseDeepLink('ocf://models')).toBe('models')
  expect(parseDeepLink('ocf://settings/')).toBe('settings')
})

test('a link with an invite names the question about it, and carries nothing else', () => {
  expect(parseDeepLink('ocf://join/ocf1Ab-_9')).toBe('join/ocf1Ab-_9')
  expect(parseDeepLink('ocf://join/ocf1Ab-_9/')).toBe('join/ocf1Ab-_9')
})

test('the pages that can be linked are those the dashboard has', () => {
  // Read and not imported: the dashboard's code is for browsers.
  const source = readFileSync(new URL('../../../src-renderer/stores/route.ts', import.meta.url), 'utf8')
  const pages = /PAGES = \[([^\]]+)\]/.exec(source)?.[1]?.match(/[a-z-]+/g) ?? []
  expect([...LINKED_PAGES].sort()).toEqual([...pages].sort())
})

test.each([
  'ocf://',
  'ocf://nowhere',
  'ocf://models/llama',
  'ocf://models?share=1',
  'ocf://models#x',
  'ocf://Models',
  'ocf://join',
  'ocf://join/',
  'ocf://join/models',
  'ocf://join/ocf1ab?switch=1',
  'ocf://join/ocf1ab#x',
  'ocf://join/ocf1%41',
  'ocf://join/ocf1ab/../settings',
  `ocf://join/ocf1${'a'.repeat(700)}`,
  'ocf://join/ocf1ab\n',
  'ocf://%6Dodels',
  'ocf:models',
  'ocf://models ',
  'ocf://user@models',
  'ocf://constructor',
  'https://models',
  'OCF://models',
  'ocf://models\n',
])('%j is no link of ours', (link) => {
  expect(parseDeepLink(link)).toBeUndefined()
})

test('whatever a web page puts behind the scheme, nothing but a known page or an invite comes out', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (rest) => {
      const page = parseDeepLink(`ocf://${rest}`)
      return page === undefined || rest === page || rest === `${page}/`
    }),
  )
})
