import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '..', '..', '..')
const LEFT_OUT = new Set(['node_modules', 'out', 'dist', '.git', '.vitest', 'coverage', 'screenshots', 'results'])

/** A page of the documents, with its code apart from its text. */
export interface Page {
  /** From the root of the repository, with slashes. */
  path: string
  /** The text without fenced blocks and code spans; as many lines as the file has. */
  text: string
  /** Lines of fenced blocks, and code spans, in their order. */
  code: string[]
}

/** Every Markdown page below the root, but for what is installed or built. */
export function listPages(dir = ROOT): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    if (LEFT_OUT.has(entry.name)) return []
    const path = join(dir, entry.name)
    if (entry.isDirectory()) return listPages(path)
    return entry.name.endsWith('.md') ? [relative(ROOT, path).split(sep).join('/')] : []
  })
}

export function readPage(path: string): Page {
  return parsePage(path, readFileSync(join(ROOT, path), 'utf8'))
}

/** Takes a page apart: what is in code is neither a link nor a heading. */
export function parsePage(path: string, markdown: string): Page {
  const code: string[] = []
  let fence: string | undefined
  const lines = markdown.split('\n').map((line) => {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1]
    if (fence === undefined && mark !== undefined) {
      fence = mark
      return ''
    }
    if (fence !== undefined) {
      if (mark?.startsWith(fence) === true && line.trim() === mark) fence = undefined
      else code.push(line)
      return ''
    }
    return line
  })
  // A span may go over the end of a line, and not over that of a paragraph.
  const text = lines.join('\n').replace(/(`+)(?!`)((?:(?!\n\n)[^])*?[^`])\1(?!`)/g, (span, _mark, inner: string) => {
    code.push(inner.replaceAll('\n', ' '))
    return span.replace(/[^\n]/g, ' ')
  })
  return { path, text, code }
}

/** Targets of the links and pictures of a page that are not on the web. */
export function localLinks({ text }: Page): string[] {
  const targets = [
    ...text.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g),
    ...text.matchAll(/^\s*\[[^\]^]+\]:\s*(\S+)/gm),
    ...text.matchAll(/\b(?:href|src|srcset)="([^"]+)"/g),
  ].map((match) => match[1] ?? '')
  return targets.filter((target) => !/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(target))
}

/** The anchors GitHub gives the headings of a page. */
export function anchorsOf(markdown: string): Set<string> {
  const seen = new Map<string, number>()
  const anchors = new Set<string>()
  let isFenced = false
  for (const line of markdown.split('\n')) {
    if (/^\s*(`{3,}|~{3,})/.test(line)) isFenced = !isFenced
    const heading = isFenced ? undefined : /^#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1]
    for (const [, id = ''] of line.matchAll(/\b(?:id|name)="([^"]+)"/g)) anchors.add(id)
    if (heading === undefined) continue
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-')
    const times = seen.get(slug) ?? 0
    seen.set(slug, times + 1)
    anchors.add(times === 0 ? slug : `${slug}-${times}`)
  }
  return anchors
}
