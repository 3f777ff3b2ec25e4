import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  safeHref,
  tokensOf,
  withoutEntities,
} from '../../../../../../src-renderer/features/chat/markdown/answer-tokens.js'

test('only addresses of the web and of mail can be followed from an answer', () => {
  expect(safeHref('https://example.org/a b')).toBe('https://example.org/a%20b')
  expect(safeHref('mailto:a@example.org')).toBe('mailto:a@example.org')
  for (const href of [
    ...[
      'javascript:alert(1)',
      'JAVASCRIPT:alert(1)',
      'java\nscript:alert(1)',
      ' javascript:alert(1)',
      'data:text/html,x',
    ],
    ...['vbscript:x', 'file:///etc/passwd', 'blob:x', 'ocf://share', '/api/call/node.stop', '#/settings', '//', ''],
  ]) {
    expect(safeHref(href), href).toBeUndefined()
  }
})

test('money is no formula, and formulas are found in each way of writing them', () => {
  const kinds = (text: string): string => JSON.stringify(tokensOf(text))
  expect(kinds('It costs $5 and $6 more.')).not.toContain('"math"')
  for (const text of ['so $x^2$ is', 'so \\(x^2\\) is', '$$\nx^2\n$$', '\\[\nx^2\n\\]']) {
    expect(kinds(text), text).toContain('"type":"math"')
  }
})

test('entities of HTML are the signs they stand for, and what is none stays', () => {
  expect(withoutEntities('a &lt; b &amp;&amp; c &#39;&#x41;&nbsp;&copy; &unknown; &#0; &#9999999;')).toBe(
    "a < b && c 'A\u00a0&copy; &unknown; &#0; &#9999999;",
  )
})

test('whatever an answer is made of is read or left as it is, without an exception', () => {
  const sign = fc.constantFrom(...'>-*_`$\\[]()<!|#~:1. \n\tab'.split(''))
  fc.assert(
    fc.property(fc.array(sign, { maxLength: 400 }), (signs) => {
      const tokens = tokensOf(signs.join(''))
      expect(tokens === undefined || Array.isArray(tokens)).toBe(true)
    }),
  )
})

test('an answer that is nested without end is cut off in depth, not in time', () => {
  const depth = (text: string): number =>
    (JSON.stringify(tokensOf(text)).match(/"blockquote"|"list_item"/g) ?? []).length
  expect(depth('>'.repeat(10_000))).toBeLessThan(40)
  expect(depth('- '.repeat(10_000))).toBeLessThan(40)
  expect(tokensOf('x'.repeat(200_001))).toBeUndefined()
})
