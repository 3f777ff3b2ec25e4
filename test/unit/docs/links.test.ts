import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { anchorsOf, listPages, localLinks, parsePage, readPage, ROOT } from './markdown.js'

/** Links of a page that lead nowhere. */
function deadLinks(path: string, markdown = readFileSync(join(ROOT, path), 'utf8')): string[] {
  return localLinks(parsePage(path, markdown)).filter((link) => {
    const [target = '', anchor] = decodeURIComponent(link).split('#')
    if (target === '') return !anchorsOf(markdown).has(anchor ?? '')
    const file = join(ROOT, dirname(path), target)
    if (!file.startsWith(ROOT) || !existsSync(file)) return true
    if (anchor === undefined) return false
    if (statSync(file).isDirectory()) return true
    return !anchorsOf(readFileSync(file, 'utf8')).has(anchor)
  })
}

const pages = listPages()

it('looks at the pages that people begin with', () => {
  for (const page of ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'docs/operating.md']) {
    expect(pages).toContain(page)
  }
  expect(localLinks(readPage('README.md')).length).toBeGreaterThan(10)
})

it.each(pages)('every link of %s leads to something', (page) => {
  expect(deadLinks(page)).toEqual([])
})

describe('the look for dead links', () => {
  it('finds files and headings that are not there', () => {
    const markdown = [
      '[a](docs/nothing.md) [b](README.md#no-such-heading) ![c](docs/no.png) [d](#here-it-is) [e](#not-here)',
      '<img src="docs/none.svg"> [f](docs#x) [g](../outside.md)',
      '[h]: docs/nowhere.md',
      '## Here it is',
    ].join('\n')
    expect(deadLinks('x.md', markdown).sort()).toEqual(
      [
        ...['docs/nothing.md', 'README.md#no-such-heading', 'docs/no.png', '#not-here', 'docs/none.svg', 'docs#x'],
        ...['../outside.md', 'docs/nowhere.md'],
      ].sort(),
    )
  })

  it('takes nothing in code for a link, and the web for somebody else’s', () => {
    const markdown = '`[a](b.md)`\n\n```md\n[c](d.md)\n```\n\n[e](https://example.org/f.md) [g](mailto:h@example.org)\n'
    expect(localLinks(parsePage('x.md', markdown))).toEqual([])
  })

  it('names headings as GitHub does', () => {
    const markdown = '# A `b`: c & d\n## Same\n## Same\n```\n# no heading\n```\n### [Link](x.md) – here\n'
    expect([...anchorsOf(markdown)]).toEqual(['a-b-c--d', 'same', 'same-1', 'link--here'])
  })
})
