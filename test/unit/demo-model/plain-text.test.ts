import { expect, test } from 'vitest'
import { readCorpus } from '../../../src-main/demo-model/corpus.js'
import { toPlainText } from '../../../src-main/demo-model/plain-text.js'

test('prose stays, markup, tables and code go', () => {
  const page = [
    '---',
    'title: x',
    '---',
    '# A heading',
    'A **bold** [link](https://example.org) and `code` here.',
    '',
    '| a | b |',
    '|---|---|',
    '```sh',
    'rm -rf /',
    '```',
    '- An item.',
    '1. Another <br> item.',
    '> Said.',
    '<!-- hidden',
    'comment -->',
  ].join('\n')

  expect(
    toPlainText(page)
      .split(/\s*\n\s*/)
      .filter(Boolean),
  ).toEqual(['A bold link and  here.', 'An item.', 'Another  item.', 'Said.'])
})

test('there is always something to learn from', () => {
  expect(readCorpus().length).toBeGreaterThan(2000)
})
